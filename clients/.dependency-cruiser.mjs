/** Holds the clients' code to one rule of imports: no circles. Types count too, which ESLint's `no-cycle` leaves out. */
export default {
  forbidden: [
    {
      name: "no-circular",
      comment: "Two files that need each other are one file, or a third one is missing.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    exclude: { path: "(^|/)(dist|node_modules)/" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types"],
      extensions: [".ts", ".tsx", ".js"],
    },
  },
};
