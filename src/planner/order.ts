/** Order by code unit: the same in every locale. `localeCompare` is refused, because its answer depends on who runs the plan. */

/** @returns below, at or above zero, as `Array.sort` wants it. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** @returns an order of things by the code units of their names. */
export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return byCodeUnit(a.name, b.name);
}
