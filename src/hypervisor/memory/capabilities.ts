/** Hosts that exist in memory only can do everything, so that no path of the controller goes untested. */
import { type Capabilities, FLAGS, type Flag } from "../capabilities.ts";

export const MEMORY_CAPABILITIES = Object.fromEntries(
  (Object.keys(FLAGS) as Flag[]).map((flag) => [flag, true]),
) as Capabilities;
