/** The console of operations: <mcn-console>. */
export {};
