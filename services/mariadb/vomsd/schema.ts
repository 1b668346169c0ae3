/**
 * The tables that a stock vomsd reads, in the form its MySQL plugin asks for (schema version 3; the questions are strings in
 * `libvomsmysql.so`). Columns that only VOMS Admin reads are there where people look at them. No foreign keys: what is written is written in
 * one transaction, from rows that fit.
 *
 * Numbers are given once for each thing and never again (`domus_number`): vomsd asks for a person's number and then for the groups of
 * that number, in two questions, and must not find somebody else under it.
 */

const TEXT = "VARCHAR(255) NOT NULL DEFAULT ''";

export const VOMSD_TABLES: readonly string[] = [
  "CREATE TABLE IF NOT EXISTS domus_number (number BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, thing VARCHAR(3000) NOT NULL, KEY thing (thing(190)))",
  "CREATE TABLE IF NOT EXISTS version (version INT NOT NULL, admin_version VARCHAR(255) NULL, PRIMARY KEY (version))",
  `CREATE TABLE IF NOT EXISTS ca (cid BIGINT NOT NULL PRIMARY KEY, subject_string VARCHAR(1024) NOT NULL, creation_time DATETIME NOT NULL, description VARCHAR(255) NULL)`,
  `CREATE TABLE IF NOT EXISTS usr (userid BIGINT NOT NULL PRIMARY KEY, dn VARCHAR(1024) NULL, name ${TEXT}, email_address ${TEXT}, institution ${TEXT}, phone_number ${TEXT}, suspended BIT(1) NOT NULL, suspension_reason VARCHAR(500) NULL)`,
  "CREATE TABLE IF NOT EXISTS certificate (id BIGINT NOT NULL PRIMARY KEY, subject_string VARCHAR(1024) NOT NULL, ca_id BIGINT NOT NULL, usr_id BIGINT NOT NULL, suspended BIT(1) NOT NULL, suspended_reason VARCHAR(500) NULL, KEY subject_string (subject_string(190)))",
  "CREATE TABLE IF NOT EXISTS `groups` (gid BIGINT NOT NULL PRIMARY KEY, dn VARCHAR(255) NOT NULL, parent BIGINT NULL, must BIT(1) NOT NULL)",
  "CREATE TABLE IF NOT EXISTS roles (rid BIGINT NOT NULL PRIMARY KEY, role VARCHAR(255) NOT NULL)",
  "CREATE TABLE IF NOT EXISTS m (mapping_id BIGINT NOT NULL PRIMARY KEY, userid BIGINT NOT NULL, gid BIGINT NOT NULL, rid BIGINT NULL, KEY userid (userid))",
  "CREATE TABLE IF NOT EXISTS attributes (a_id BIGINT NOT NULL PRIMARY KEY, a_name VARCHAR(255) NOT NULL, a_desc TEXT NULL, a_uniq BIT(1) NOT NULL)",
  "CREATE TABLE IF NOT EXISTS usr_attrs (a_id BIGINT NOT NULL, u_id BIGINT NOT NULL, a_value VARCHAR(1000) NULL, PRIMARY KEY (a_id, u_id))",
  "CREATE TABLE IF NOT EXISTS group_attrs (a_id BIGINT NOT NULL, g_id BIGINT NOT NULL, a_value VARCHAR(1000) NULL, PRIMARY KEY (a_id, g_id))",
  "CREATE TABLE IF NOT EXISTS role_attrs (a_id BIGINT NOT NULL, g_id BIGINT NOT NULL, r_id BIGINT NOT NULL, a_value VARCHAR(1000) NULL, PRIMARY KEY (a_id, g_id, r_id))",
];

/** @returns the database of an organization, as VOMS calls it; no character that SQL would have to quote */
export function vomsdDatabase(vo: string): string {
  return `voms_${vo.replace(/[^A-Za-z0-9]/g, "_")}`;
}

export type Cell = string | number | null;

/** One table as it should be: its columns, which of them are the key, and its rows by key. */
export interface WantedTable {
  readonly name: string;
  readonly columns: readonly string[];
  /** How many of the columns, from the first, are the key. */
  readonly key: number;
  readonly rows: readonly (readonly Cell[])[];
}
