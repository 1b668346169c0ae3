/** How long requests may be. */

/** Longest request body, octets. */
export const BODY_LIMIT = 64 * 1024;
/** The same of an operator: a mapping policy of a large site. */
export const OPERATOR_BODY_LIMIT = 4 * 1024 * 1024;
/** Longest request target, characters. */
export const TARGET_LIMIT = 4096;
