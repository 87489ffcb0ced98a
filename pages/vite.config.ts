import { defineConfig, type Plugin } from "vite";

/** Replaces line breaks and indentation in templates by one blank: this saves a tenth of the script. */
const templatesOnOneLine: Plugin = {
  name: "templates-on-one-line",
  generateBundle(_, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type === "chunk") file.code = file.code.replace(/\n\s+/g, " ");
    }
  },
};

// Each mode builds one script that needs no other, so apps embed one file. The names have no digest, because apps refer to
// them; the server makes browsers check the files by their ETag.
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
