import { defineConfig, type Plugin } from "vite";

/** Line breaks with indentation inside of templates become one blank: a tenth of what apps load. */
const templatesOnOneLine: Plugin = {
  name: "templates-on-one-line",
  generateBundle(_, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type === "chunk") file.code = file.code.replace(/\n\s+/g, " ");
    }
  },
};

// Each mode is one script that needs no other: apps embed one file. Names have no digest, since apps name them for good;
// whoever serves the files has them revalidated by their ETag.
export default defineConfig(({ mode }) => ({
  base: "./",
  plugins: mode === "site" ? [] : [templatesOnOneLine],
  build: {
    target: "es2022",
    modulePreload: false,
    reportCompressedSize: false,
    emptyOutDir: mode === "levels",
    copyPublicDir: mode === "site",
    rollupOptions: {
      input: { [mode]: `src/${mode}.ts` },
      preserveEntrySignatures: "strict",
      output: { entryFileNames: "[name].js" },
    },
  },
}));
