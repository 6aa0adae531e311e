import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const OUTPUT = "../src/skubber/web/assets/console";

/** Compresses what text there is, once, so that the server never has to. */
function compressed(): Plugin {
  return {
    name: "skubber-compressed",
    apply: "build",
    closeBundle() {
      for (const entry of readdirSync(OUTPUT, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(js|css|html|svg)$/.test(entry.name)) continue;
        const file = join(entry.parentPath, entry.name);
        writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: constants.Z_BEST_COMPRESSION }));
      }
    },
  };
}

/** Gathers the licences of all packages that parts of are in the build: they ask for that. */
function licences(): Plugin {
  return {
    name: "skubber-licences",
    apply: "build",
    generateBundle(_, bundle) {
      const folders = new Set<string>();
      for (const output of Object.values(bundle)) {
        const modules = output.type === "chunk" ? Object.keys(output.modules) : [];
        for (const id of modules) {
          const folder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0];
          if (folder) folders.add(folder);
        }
      }
      this.emitFile({ type: "asset", fileName: "licences.txt", source: [...folders].sort().map(licence).join("\n") });
    },
  };
}

function licence(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as PackageFile;
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? readFileSync(join(folder, file), "utf8") : `Licence: ${license}\n`;
  return `${name} ${version}\n\n${text}`;
}

interface PackageFile {
  name: string;
  version: string;
  license: string;
}

export default defineConfig({
  base: "/assets/console/",
  plugins: [licences(), compressed()],
  build: {
    outDir: OUTPUT,
    emptyOutDir: true,
    target: "es2022",
    // The Content-Security-Policy allows no data: URLs but for images, and no inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": "http://127.0.0.1:5187", "/app": { target: "ws://127.0.0.1:5187", ws: true } } },
});
