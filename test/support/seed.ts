/**
 * The gate must say the same of the same tree: properties begin from one seed here. A test file that is run by itself draws a new one each
 * time, and so does the whole run with `DOMUS_TEST_SEED=any`; whatever they find names its seed, and `DOMUS_TEST_SEED=N` finds it again.
 */
import fc from "fast-check";

const { DOMUS_TEST_SEED = "20261120" } = process.env;
if (DOMUS_TEST_SEED !== "any") fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(DOMUS_TEST_SEED) });
