/** Every file of others' software that a policy can be written as. */
import { arcConf } from "./arc.ts";
import type { FileRequest, WrittenFile } from "./entries.ts";
import { gridMapfile, osgUserVoMap } from "./grid-map.ts";
import { banDn, banFqan, vomsMapfile } from "./lcmaps.ts";
import { condorMapfile, scitokensMapfile } from "./tokens.ts";

export interface FileFormat {
  /** Name of the format and of the file. */
  readonly name: string;
  readonly mediaType: string;
  readonly description: string;
  /** Pure: the same request gives the same bytes. */
  readonly write: (request: FileRequest) => WrittenFile;
}

const TEXT = "text/plain; charset=us-ascii";

export const FILE_FORMATS: readonly FileFormat[] = [
  {
    name: "grid-mapfile",
    mediaType: TEXT,
    description: "people and their accounts, for Globus, GridFTP and everything that reads a grid-mapfile",
    write: gridMapfile,
  },
  {
    name: "voms-mapfile",
    mediaType: TEXT,
    description: "FQANs and their accounts, for LCMAPS (voms_localaccount, voms_poolaccount)",
    write: vomsMapfile,
  },
  { name: "ban-dn.db", mediaType: TEXT, description: "banned people, for LCMAPS (ban_dn)", write: banDn },
  { name: "ban-fqan.db", mediaType: TEXT, description: "banned FQANs, for LCMAPS (ban_fqan)", write: banFqan },
  {
    name: "condor-mapfile",
    mediaType: TEXT,
    description: "tokens and people, for HTCondor-CE (/etc/condor-ce/mapfiles.d)",
    write: condorMapfile,
  },
  {
    name: "arc.conf",
    mediaType: TEXT,
    description: "blocks authgroup and mapping, for ARC 6",
    write: arcConf,
  },
  {
    name: "scitokens.json",
    mediaType: "application/json",
    description: "tokens of one issuer, for xrootd's SciTokens plugin (name_mapfile)",
    write: scitokensMapfile,
  },
  {
    name: "osg-user-vo-map",
    mediaType: TEXT,
    description: "accounts and their VOs, for accounting",
    write: osgUserVoMap,
  },
];
