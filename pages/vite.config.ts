import { defineConfig, type Plugin } from "vite";

/** Line breaks with indentation inside of templates become one blank: a tenth of what apps load. */
const templatesOnOneLine: Plugin = {
  name: "templates-on-one-line",
  generateBundle(_, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type === "chunk" && /^(levels|console)/.test(file.fileName)) file.code = file.code.replace(/\n\s+/g, " ");
    }
  },
};

// Names without a digest: apps embed /levels.js for good. Whoever serves the files has them revalidated by their ETag.
export default defineConfig({
  base: "./",
  plugins: [templatesOnOneLine],
  build: {
    target: "es2022",
    modulePreload: false,
    reportCompressedSize: false,
    rollupOptions: {
      input: { levels: "src/levels.ts", console: "src/console.ts", site: "src/site.ts" },
      preserveEntrySignatures: "strict",
      output: { entryFileNames: "[name].js", chunkFileNames: "[name].js", assetFileNames: "[name][extname]" },
    },
  },
});
