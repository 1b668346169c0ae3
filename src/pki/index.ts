/** The site's certificate authority: who is who between the machines of a site. */
export * from "./authority.ts";
