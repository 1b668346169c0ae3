/** Pages as answers: path → type, entity tag and octets, worked out once at start. Pure. */
import { createHash } from "node:crypto";
import { extname } from "node:path/posix";

export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".csv": "text/csv; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".md": "text/markdown; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".xml": "application/xml",
};

function page(status: number, path: string, content: string): PageAnswer {
  const body = Buffer.from(content, "utf8");
  return {
    status,
    headers: {
      "content-type": TYPES[extname(path).toLowerCase()] ?? "application/octet-stream",
      "content-length": body.length,
      etag: `"${createHash("sha256").update(body).digest("hex").slice(0, 24)}"`,
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
    },
    body,
  };
}

function plain(status: number, says: string, more: Readonly<Record<string, string>> = {}): PageAnswer {
  const body = Buffer.from(`<!doctype html><title>${status}</title><p>${says}\n`, "utf8");
  return { status, headers: { "content-type": TYPES[".html"]!, "content-length": body.length, ...more }, body };
}

/** @returns the path a page is kept under, or `null` when the request's target is not a path */
function pathOf(target: string): string | null {
  const end = target.search(/[?#]/);
  try {
    const path = decodeURIComponent(end < 0 ? target : target.slice(0, end));
    return path.startsWith("/") && !path.includes("\0") ? path : null;
  } catch {
    return null;
  }
}

/**
 * @param pages path → content; a path that ends in `index.html` also answers for its folder
 * @returns what to answer to a method and target, given the client's If-None-Match
 */
export function preparePages(
  pages: Readonly<Record<string, string>>,
): (method: string, target: string, ifNoneMatch?: string) => PageAnswer {
  const known = new Map<string, PageAnswer>();
  for (const [name, content] of Object.entries(pages)) {
    const path = name.startsWith("/") ? name : `/${name}`;
    const prepared = page(200, path, content);
    known.set(path, prepared);
    if (path.endsWith("/index.html")) known.set(path.slice(0, -"index.html".length), prepared);
  }
  const custom = pages["/404.html"];
  const missing = custom === undefined ? plain(404, "There is no such page.") : page(404, "/404.html", custom);
  return (method, target, ifNoneMatch) => {
    if (method !== "GET" && method !== "HEAD") return plain(405, "Only GET and HEAD.", { allow: "GET, HEAD" });
    const path = pathOf(target);
    if (path === null) return plain(400, "That is not a path.");
    const found = known.get(path);
    if (found === undefined) return missing;
    const tags = ifNoneMatch?.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
    if (tags?.includes("*") || tags?.includes(String(found.headers.etag))) {
      const { etag, "cache-control": cache } = found.headers;
      return { status: 304, headers: { etag: etag!, "cache-control": cache! }, body: Buffer.alloc(0) };
    }
    return found;
  };
}
