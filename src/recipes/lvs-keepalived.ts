/**
 * The front end of real guests: keepalived speaks VRRP version 3 between the two directors and checks the copies, LVS passes packets by
 * direct routing (keepalived.conf(5), ipvs-sysctl.txt of the kernel). Answers go from the copies straight to the clients, so that the
 * director carries requests only.
 * Refused: `SSL_GET`, which cannot present a certificate, where every service of the house wants one: curl asks instead.
 * Refused: preemption; a director that returns stands by.
 */
import { type BlueprintAlias, digest, type GuestFile, type Probe } from "../model/index.ts";
import type { RecipeContext, Seat } from "./recipe.ts";

const CHECK_SCRIPT = "etc/keepalived/check-http.sh";
/** Seconds. Takeover after three missed advertisements and the skew: under half a second. */
const ADVERT = 0.1;

type Line = string | readonly Line[];

/** Renders `name {` … `}` blocks: an array is the body of the line before it. */
function indent(lines: readonly Line[], depth = 0): string[] {
  return lines.flatMap((line, index) => {
    if (typeof line !== "string") return [...indent(line, depth + 1), `${"    ".repeat(depth)}}`];
    const opens = Array.isArray(lines[index + 1]);
    return [line === "" ? "" : `${"    ".repeat(depth)}${line}${opens ? " {" : ""}`];
  });
}

const SCHEDULERS = { "least-connections": "lc", "round-robin": "rr" } as const;
const TRIES = ["connect_timeout 1", "retry 1", "delay_before_retry 0.5"] as const;

/** How keepalived asks what a probe asks; a table by kind, so that a new kind of probe is missed by the type checker. */
const CHECKS: { readonly [Kind in Probe["kind"]]: (probe: Probe & { kind: Kind }, of: Place) => Line[] } = {
  tcp: (probe) => ["TCP_CHECK", [`connect_port ${probe.port}`, ...TRIES]],
  // Nothing more can be asked of it than whether somebody listens.
  running: (_, of) => ["TCP_CHECK", [`connect_port ${of.port}`, ...TRIES]],
  http: (probe, of) =>
    probe.contains === null
      ? [
          "HTTP_GET",
          [`url`, [`path ${probe.path}`, `status_code ${probe.status}`], `connect_port ${probe.port}`, ...TRIES],
        ]
      : curlCheck(probe, of),
  https: (probe, of) => curlCheck(probe, of),
};

interface Place {
  readonly guest: string;
  readonly address: string;
  readonly port: number;
}

/** keepalived's quoting is not the shell's: nothing that needs quoting may stand in a command. */
function urlOf(probe: Extract<Probe, { kind: "http" | "https" }>, guest: string): string {
  const path = probe.path.replace(/[^A-Za-z0-9._~:/=?&%+-]/gu, (odd) =>
    [...Buffer.from(odd)].map((octet) => `%${octet.toString(16).padStart(2, "0").toUpperCase()}`).join(""),
  );
  return `${probe.kind}://${guest}:${probe.port}${path}`;
}

/** Where the text that an answer must contain is kept, so that no command needs to quote it. */
function textFile(of: Place): string {
  return `etc/keepalived/expected/${of.guest}-${of.port}.txt`;
}

function curlCheck(probe: Extract<Probe, { kind: "http" | "https" }>, of: Place): Line[] {
  const words = [of.guest, of.address, probe.port, urlOf(probe, of.guest), probe.status];
  const text = probe.contains === null ? [] : [`/${textFile(of)}`];
  return ["MISC_CHECK", [`misc_path "/bin/sh /${CHECK_SCRIPT} ${[...words, ...text].join(" ")}"`, "misc_timeout 2"]];
}

function expectedTexts(aliases: readonly BlueprintAlias[]): readonly GuestFile[] {
  return aliases
    .flatMap((alias) => alias.backends)
    .flatMap((backend) => {
      const text = backend.check.kind === "tcp" || backend.check.kind === "running" ? null : backend.check.contains;
      return text === null ? [] : [{ path: textFile(backend), content: text }];
    });
}

const SCRIPT = `#!/bin/sh
# Asks one copy: guest address port url status [file with a text]. Ends with 0 when it answers as expected.
guest=$1 address=$2 port=$3 url=$4 status=$5 text=
[ -z "\${6-}" ] || text=$(cat "$6") || exit 1
body=$(curl --silent --max-time 1 --resolve "$guest:$port:$address" \\
  --cacert /etc/tls/ca.pem --cert /etc/tls/cert.pem --key /etc/tls/key.pem \\
  --write-out '\\n%{http_code}' "$url") || exit 1
[ "\${body##*
}" = "$status" ] || exit 1
case $body in *"$text"*) exit 0 ;; *) exit 1 ;; esac
`;

function virtualServer(alias: BlueprintAlias): Line[] {
  const oneWriter = alias.distribution === "one-writer";
  const scheduler = oneWriter ? "fo" : SCHEDULERS[alias.scheduler];
  const count = alias.backends.length;
  return [
    `# ${alias.name} (${alias.service})`,
    ...(oneWriter ? ["# One writer: all connections go to the copy of greatest weight that answers its check."] : []),
    `virtual_server ${alias.address} ${alias.port}`,
    [
      "delay_loop 1",
      `lvs_sched ${scheduler}`,
      "lvs_method DR",
      "protocol TCP",
      ...(alias.persistence > 0 ? [`persistence_timeout ${alias.persistence}`] : []),
      "alpha",
      "quorum 1",
      ...alias.backends.flatMap((backend, index) => {
        const check = CHECKS[backend.check.kind] as (probe: Probe, of: Place) => Line[];
        return [
          `real_server ${backend.address} ${backend.port}`,
          [
            `weight ${oneWriter ? count - index : 1}`,
            `uthreshold ${alias.connectionsPerCopy}`,
            ...check(backend.check, backend),
          ],
        ];
      }),
    ],
    "",
  ];
}

/** @returns 1 to 255, by the site's name, so that two sites on one network seldom meet; the setting `router` decides */
function routerNumber(context: RecipeContext): number {
  const set = context.service.settings.router;
  return typeof set === "number" ? set : 1 + (Number.parseInt(digest(context.site.name).slice(0, 6), 16) % 255);
}

function keepalivedConf(context: RecipeContext): string {
  const { seat, copies, aliases } = context;
  const device = typeof context.service.settings.interface === "string" ? context.service.settings.interface : "eth0";
  const router = routerNumber(context);
  const addresses = [...new Set(aliases.map((alias) => alias.address))];
  const lines: Line[] = [
    `# Director ${seat.name} of ${context.site.name}. Rendered by Domus from the site file: changes here are lost.`,
    "global_defs",
    [
      `router_id ${seat.name}`,
      "vrrp_version 3",
      "vrrp_garp_master_refresh 60",
      "enable_script_security",
      "script_user root",
      `lvs_sync_daemon ${device} front_end id ${router}`,
    ],
    "",
    "vrrp_instance front_end",
    [
      "state BACKUP",
      "nopreempt",
      `interface ${device}`,
      `virtual_router_id ${router}`,
      `priority ${150 - 50 * Math.min(seat.copy, 2)}`,
      `advert_int ${ADVERT}`,
      `unicast_src_ip ${seat.address}`,
      "unicast_peer",
      copies.filter((other) => other.name !== seat.name).map((other) => other.address),
      "virtual_ipaddress",
      addresses.map((address) => `${address}/32 dev ${device}`),
    ],
    "",
    ...aliases.flatMap(virtualServer),
  ];
  return `${indent(lines).join("\n").trimEnd()}\n`;
}

const DIRECTOR_SYSCTL = `# A director that stands by must not balance what its own copies receive.
net.ipv4.vs.backup_only = 1
# A copy that is removed takes its connections and its clients' persistence with it: they are told at once and try again.
net.ipv4.vs.expire_nodest_conn = 1
net.ipv4.vs.expire_quiescent_template = 1
`;

/** @returns everything a real director needs beyond its packages */
export function keepalivedFiles(context: RecipeContext): readonly GuestFile[] {
  return [
    { path: "etc/keepalived/keepalived.conf", content: keepalivedConf(context) },
    { path: CHECK_SCRIPT, content: SCRIPT },
    ...expectedTexts(context.aliases),
    // The sysctls exist only once the module is loaded.
    { path: "etc/modules-load.d/domus-lvs.conf", content: "ip_vs\nip_vs_lc\nip_vs_rr\nip_vs_fo\n" },
    { path: "etc/sysctl.d/60-domus-lvs.conf", content: DIRECTOR_SYSCTL },
  ];
}

/**
 * What a copy behind the front end needs in a real guest: the aliases of its own service on its loopback, silent on the network.
 * Only its own: an address it does not serve would swallow its calls to that alias. Added by the recipes of those services.
 * @param aliases every alias of the site
 * @param seat the copy
 * @returns no files when no alias leads to it
 */
export function realServerFiles(aliases: readonly BlueprintAlias[], seat: Pick<Seat, "name">): readonly GuestFile[] {
  const own = aliases.filter((alias) => alias.backends.some((backend) => backend.guest === seat.name));
  const addresses = [...new Set(own.map((alias) => alias.address))];
  if (addresses.length === 0) return [];
  const sysctl = "/etc/sysctl.d/60-domus-real-server.conf";
  return [
    {
      path: sysctl.slice(1),
      content: `# Never answer for, nor speak from, the alias addresses on lo: the director alone does (direct routing).
net.ipv4.conf.all.arp_ignore = 1
net.ipv4.conf.all.arp_announce = 2
net.ipv4.conf.lo.arp_ignore = 1
net.ipv4.conf.lo.arp_announce = 2
`,
    },
    {
      path: "etc/systemd/system/domus-aliases.service",
      content: `[Unit]
Description=Alias addresses of this copy (${own.map((alias) => alias.name).join(", ")})
Before=network-online.target
After=network-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
# First silence, then the address: the other way round the copy would answer for the alias for a moment.
ExecStart=/usr/sbin/sysctl --load=${sysctl}
${addresses.map((address) => `ExecStart=/usr/sbin/ip address replace ${address}/32 dev lo`).join("\n")}
${addresses.map((address) => `ExecStop=/usr/sbin/ip address del ${address}/32 dev lo`).join("\n")}

[Install]
WantedBy=multi-user.target
`,
    },
  ];
}
