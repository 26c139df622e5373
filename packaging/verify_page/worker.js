// Runs the verifier's Python, beside the page and not in it, so that the page goes on answering. Stands below Pyodide's
// own two modules in one worker, which gives it loadPyodide and createPyodideModule.
// All that Pyodide asks for comes out of the page itself: there is nothing else that it could be given.

const HOME = "https://inside.invalid/";
let python;
let desk;

onmessage = async ({ data }) => {
  try {
    await handled[data.kind](data);
  } catch (error) {
    postMessage({ kind: "broken", text: String(error && error.message ? error.message : error).slice(-500) });
  }
};

const handled = {
  async start({ parts, program }) {
    globalThis.fetch = async (asked) => {
      const name = String(asked && asked.url ? asked.url : asked).split("/").pop();
      if (!(name in parts)) throw new Error(`this page holds no ${name}`);
      const type = name.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
      return new Response(parts[name], { headers: { "Content-Type": type } });
    };
    const quiet = () => {};
    python = await loadPyodide({ indexURL: HOME, createPyodideModule, stdout: quiet, stderr: quiet });
    for (const name of Object.keys(parts)) delete parts[name];
    python.FS.writeFile("/detak-verify.pyz", new Uint8Array(program));
    const [version, rules, digest] = python.runPython(`
import hashlib, os, platform, sys
sys.path.insert(0, "/detak-verify.pyz")
from detak_collector.bundle import in_page
os.mkdir("/bundle")
os.chdir("/bundle")
with open("/detak-verify.pyz", "rb") as program:
    digest = hashlib.sha256(program.read()).hexdigest()
[platform.python_version(), in_page.rule_version(), digest]
`).toJs();
    postMessage({ kind: "started", version, rules, digest });
  },

  open({ name, content }) {
    const path = name.replaceAll("/", "_").replaceAll("\0", "_") || "bundle";
    desk?.destroy();
    for (const old of python.FS.readdir("/bundle").filter((one) => one !== "." && one !== "..")) python.FS.unlink(`/bundle/${old}`);
    python.FS.writeFile(`/bundle/${path}`, new Uint8Array(content));
    python.globals.set("name", path);
    desk = python.runPython("import pathlib; in_page.Desk(pathlib.Path(name))");
  },

  ask({ asked }) {
    const step = (done, of) => postMessage({ kind: "step", done, of });
    postMessage({ kind: "answer", asked, answer: JSON.parse(desk.answer(JSON.stringify(asked), step)) });
  },
};
