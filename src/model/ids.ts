/** Names that must not be mixed up. A brand costs nothing at run time and makes "host where a guest was meant" a type error. */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type SiteName = Branded<"site">;
export type HostName = Branded<"host">;
export type GuestName = Branded<"guest">;
export type ServiceName = Branded<"service">;
export type AliasName = Branded<"alias">;
export type StepId = Branded<"step">;
/** SHA-256 of a Blueprint's canonical JSON, in hexadecimal. */
export type BlueprintId = Branded<"blueprint">;

/** Every name people give: a DNS label, so that it can stand in a hosts file, a certificate and a zone. RFC 1123 2.1. */
export const NAME_PATTERN = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
