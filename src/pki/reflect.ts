/** The certificate library resolves its own parts through decorator metadata, which must exist before it is loaded. */
import "reflect-metadata";
