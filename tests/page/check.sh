#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The HTML page as a browser has it: check.sh PROGRAM SOURCE_DIR AXE. AXE is axe-core's axe.min.js. Three pages, of a
# machine with everything, of all fixtures and of 300 machines: no violation of axe's rules in light and dark, nothing to
# scroll sideways at 390 pixels, a bounded number of nodes and bytes.
set -euo pipefail
program=$1 source_dir=$2 axe=$3
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
cd "$folder"
export HOME=$folder XDG_STATE_HOME=$folder/state
profile=$source_dir/fixtures/hosts/debian-12.json

# page NAME SOURCE...: the plan's page; that some machines are refused is a part of it.
page() {
  local name=$1 status=0
  shift
  "$program" plan "$@" --no-define --dest "$folder/images" --host-profile "$profile" --format html -o "$name.html" >out 2>&1 || status=$?
  ((status == 0 || status == 3)) || { cat out >&2; exit 1; }
}
# With a picture of what it is made of, before and after.
page one "$source_dir/fixtures/vbox/ich9-efi-everything" --skip-disk missing --skip-disk unsupported
grep -q '<svg role="img"' one.html || { echo "the machine is not drawn"; exit 1; }
page all "$source_dir"/fixtures/vbox/*/*.vbox "$source_dir"/fixtures/vmx/*/*.vmx "$source_dir"/fixtures/ovf/*/*.ovf
hundreds=()
for ((i = 0; i < 300; ++i)); do hundreds+=("$source_dir/fixtures/vbox/ich9-efi-everything"); done
page hundreds "${hundreds[@]}" --skip-disk missing --skip-disk unsupported
grep -q 'id="space"' hundreds.html || { echo "nothing says what space they need"; exit 1; }

# Takes the page's place with what was seen in it.
cat >see.js <<'JS'
addEventListener("load", () => axe.run().then(result => {
  const seen = {
    violations: result.violations.map(v => v.id + ": " + v.help + ": " + v.nodes[0].html.slice(0, 120)),
    rules: result.passes.length,
    nodes: document.querySelectorAll("*").length - document.querySelectorAll("script").length,
    wider: Math.max(0, document.documentElement.scrollWidth - innerWidth),
    widest: [...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth)
      .slice(-1).map(e => e.outerHTML.slice(0, 200)).join(),
  };
  document.documentElement.textContent = "SEEN " + JSON.stringify(seen) + " END";
}));
JS
# see FILE COLOURS WIDTH: prints what was seen. A frame has the width that a window cannot have.
see() {
  python3 - "$1.html" "$axe" "$folder" <<'PY'
import sys
page, axe, folder = sys.argv[1:]
text = open(page, encoding="utf-8").read()
scripts = "".join("<script>%s</script>" % open(name, encoding="utf-8").read().replace("</script", "<\\/script")
                  for name in (axe, folder + "/see.js"))
at = text.rindex("</body>")
open(folder + "/seen.html", "w", encoding="utf-8").write(text[:at] + scripts + text[at:])
PY
  cat >frame.html <<HTML
<iframe src="seen.html" style="width:$3px;height:800px;border:0"></iframe><pre></pre><script>
const poll = setInterval(() => {
  const text = document.querySelector("iframe").contentDocument?.documentElement?.textContent ?? "";
  if (!text.startsWith("SEEN ")) return;
  clearInterval(poll);
  document.documentElement.textContent = text;
}, 50);
</script>
HTML
  # blink's numbers for prefers-color-scheme: 0 dark, 1 light
  chromium --headless --no-sandbox --disable-gpu --allow-file-access-from-files --window-size=1300,900 \
    --user-data-dir="$folder/browser" --blink-settings="preferredColorScheme=$2" --virtual-time-budget=60000 \
    --dump-dom "file://$folder/frame.html" 2>/dev/null | sed -n 's/.*SEEN \(.*\) END.*/\1/p'
}

failed=0
for name in one all hundreds; do
  bytes=$(stat -c %s "$name.html")
  for look in "1 1200" "0 1200" "1 390"; do
    read -r colours width <<<"$look"
    seen=$(see "$name" "$colours" "$width")
    printf '%s, %s pixels, %s: %s bytes, %s\n' "$name" "$width" "$( ((colours)) && echo light || echo dark)" "$bytes" "${seen:-nothing was seen}"
    python3 - "$seen" "$bytes" <<'PY' || failed=1
import html, json, sys
seen = json.loads(html.unescape(sys.argv[1])) if sys.argv[1] else None
assert seen, "the browser showed nothing"
assert not seen["violations"], seen["violations"]
assert seen["rules"] > 20, "axe looked at nothing"
assert seen["wider"] == 0, "%d pixels wider than the window: %s" % (seen["wider"], seen["widest"])
assert seen["nodes"] <= 60000, "too many nodes"
assert int(sys.argv[2]) <= 3000000, "too many bytes"
PY
  done
done
((!failed)) && echo "passed"
exit "$failed"
