/** The book of people of virtual organizations, and writing into it: what VOMS and VOMRS have in common. */
export * from "./book.ts";
export * from "./words.ts";
