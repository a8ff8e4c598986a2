// SPDX-License-Identifier: Apache-2.0
#include "exporters/report/report.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "exporters/report/told.hpp"
#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"

namespace ferry::report {
namespace {

namespace fs = std::filesystem;

// A machine that uses every field, with a name that tries to break out of text, JSON and HTML.
MachineReport full_machine() {
  MachineReport machine;
  machine.name = "a<b>\"&\x1b[31m";
  machine.source = "/vms/a.vbox";
  machine.kind = "vbox";
  machine.number = 2;
  machine.uuid = "11111111-2222-3333-4444-555555555555";
  machine.guest_os = "Debian 12";
  machine.status = Status::migrated;
  machine.run = "20261123-120000-abcd";
  machine.observed = {"Debian GNU/Linux 12 (bookworm), on partition 1 of disk 1"};
  machine.summary = "PIIX3, BIOS, 2 CPUs, 1.0 GiB memory";
  machine.disks.push_back({"/vms/leaf.vdi",
                           {"/vms/base.vdi", "/vms/leaf.vdi"},
                           "vdi differencing",
                           1U << 30U,
                           1U << 20U,
                           "/out/a.qcow2",
                           "native",
                           std::string(64, 'a')});
  machine.nics.push_back({"08:00:27:00:00:01", "e1000", "user", "enp0s3", {"tcp 127.0.0.1:2222 -> 22"}});
  machine.snapshots.push_back({"first", "id-1", "clean", 1700000000, std::nullopt, false});
  machine.snapshots.push_back({"second", "id-2", "", std::nullopt, "first", true});
  const auto dropped = machine.settings.enter({"/vms/a.vbox", 12, "/A/@b"}, "value");
  machine.settings.settle(dropped, Disposition::dropped, "libvirt has no such thing");
  machine.settings.enter({"/vms/a.vbox", 13, "/A/@c"}, "odd");
  machine.settings.take(machine.settings.enter({"/vms/a.vbox", 14, "/A/@d"}, "4"), "hardware.cpu.count");
  machine.findings.push_back({"disk.none", Severity::critical, {"/vms/a.vbox", 4, "/A"}, "the message", "the advice"});
  machine.space_needed = 5;
  machine.space_available = 10;
  machine.seconds = 32.4;
  machine.written = std::uint64_t{3} << 30U;
  machine.domain_xml = "<domain type='kvm'/>\n";
  machine.picture = Picture{
      .before = {"PIIX3, BIOS", {{"IDE (PIIX4)", {"leaf.vdi, 1.0 GiB, on 2 images", "CD empty"}}}, {{"e1000", "NAT"}}},
      .after = {"pc, BIOS", {{"IDE", {"hda: a.qcow2, 1.0 GiB"}}}, {{"e1000", "user <&> \"x\""}}}};
  machine.files = {"/out/a.qcow2", "/out/a.xml"};
  machine.next_steps = {"virsh start a"};
  machine.test = Test{.verdict = Test::Verdict::booted,
                      .sign = "agent",
                      .seen = "the guest agent answers",
                      .seconds = 21.5,
                      .host_name = "web",
                      .os = "Debian",
                      .addresses = {"enp0s3 192.168.1.7"},
                      .text = {"web login:"},
                      .screenshot = "/state/tests/web.png",
                      .notes = {"A device of the host is not given to the machine."}};
  return machine;
}

MachineReport refused_machine() {
  MachineReport machine;
  machine.name = "broken";
  machine.source = "/vms/broken.vmx";
  machine.kind = "vmx";
  machine.status = Status::refused;
  machine.refusal = {
      ErrorKind::encrypted,
      {{"/vms/broken.vmx", 3, "encryption.keySafe"}, "the machine is encrypted", "a key safe", "none", "Decrypt it."}};
  return machine;
}

Document document() {
  return {.tool = "virt-ferry 0.1.0",
          .host = "Debian 12",
          .batch = "batch-20261129-120557-bc49",
          .made = "2026-11-29T12:05:57Z",
          .command = "virt-ferry batch /vms",
          .user = "you",
          .rate = 2e8,
          .shard = Shard{2, 8, std::string(64, 'a')},
          .machines = {full_machine(), refused_machine()}};
}

TEST(Report, JsonHoldsToThePublishedSchema) {
  if (std::system("python3 -c 'import jsonschema' 2>/dev/null") != 0)
    GTEST_SKIP() << "python3-jsonschema is not installed";
  const test::TempFolder folder;
  const fs::path file = folder.write("report.json", as_json(document()));
  const std::string schema = std::string(FERRY_SOURCE_DIR) + "/docs/report.schema.json";
  const std::string check =
      "python3 -c 'import json,jsonschema,sys; jsonschema.validate(json.load(open(sys.argv[1])), "
      "json.load(open(sys.argv[2])))' ";
  EXPECT_EQ(std::system((check + file.string() + " " + schema).c_str()), 0);
  // The schema must be able to refuse: a report with a foreign member is not one.
  auto json = nlohmann::json::parse(as_json(document()));
  json["machines"][0]["surprise"] = 1;
  folder.write("report.json", json.dump());
  EXPECT_NE(std::system((check + file.string() + " " + schema + " 2>/dev/null").c_str()), 0);
}

// What the schema allows and no machine of `json` has: "machines[].disks[].sha256".
void find_unused(const nlohmann::json &schema, const nlohmann::json &part, const std::vector<nlohmann::json> &values,
                 const std::string &path, std::vector<std::string> &unused) {
  if (part.contains("$ref")) {
    const auto target = part["$ref"].get<std::string>().substr(1);
    find_unused(schema, schema.at(nlohmann::json::json_pointer(target)), values, path, unused);
    return;
  }
  const nlohmann::json properties = part.value("properties", nlohmann::json::object());
  for (const auto &property : properties.items()) {
    const std::string name = path.empty() ? property.key() : path + "." + property.key();
    std::vector<nlohmann::json> below;
    for (const nlohmann::json &value : values) {
      if (value.contains(property.key())) below.push_back(value[property.key()]);
    }
    if (below.empty()) {
      unused.push_back(name);
    } else {
      find_unused(schema, property.value(), below, name, unused);
    }
  }
  if (part.contains("items")) {
    std::vector<nlohmann::json> below;
    for (const nlohmann::json &value : values) below.insert(below.end(), value.begin(), value.end());
    find_unused(schema, part["items"], below, path + "[]", unused);
  }
}

// Together with additionalProperties, which the schema forbids everywhere: a new member of the report needs a row in
// the schema, and that needs a machine in this test that has it.
TEST(Report, EveryPropertyOfTheSchemaIsInTheseMachines) {
  const auto schema = nlohmann::json::parse(test::read_text(fs::path(FERRY_SOURCE_DIR) / "docs/report.schema.json"));
  std::vector<std::string> unused;
  find_unused(schema, schema, {nlohmann::json::parse(as_json(document()))}, "", unused);
  EXPECT_EQ(unused, std::vector<std::string>{});
}

TEST(Report, JsonReadsBackAsWhatItWas) {
  const std::string json = as_json(document());
  const Document again = from_json(json);
  EXPECT_EQ(as_json(again), json);
  EXPECT_EQ(as_html(again), as_html(document()));
  for (const std::string &wrong :
       {std::string("{"), std::string("{}"), std::string("[]"), json.substr(0, json.size() / 2),
        std::string(R"({"schema": "virt-ferry-report/2", "machines": []})"),
        std::string(R"({"schema": "virt-ferry-report/1", "machines": [{}]})"),
        std::string(R"({"schema": "virt-ferry-report/1", "machines": [1]})")}) {
    EXPECT_THROW((void)from_json(wrong), Error) << wrong;
  }
  std::string odd = json;
  odd.replace(odd.find("\"migrated\""), 10, "\"mended\"");
  EXPECT_THROW((void)from_json(odd), Error);
}

TEST(Report, JsonTakesTextThatIsNotUtf8) {
  Document broken = document();
  broken.machines[0].files.emplace_back("/out/\xff.qcow2");
  EXPECT_FALSE(nlohmann::json::parse(as_json(broken), nullptr, false).is_discarded());
}

TEST(Report, HtmlAndTextLetNoMarkupOrEscapeThrough) {
  const std::string html = as_html(document());
  EXPECT_EQ(html.find("a<b>"), std::string::npos);
  EXPECT_NE(html.find("a&lt;b&gt;&quot;&amp;"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos) << "a report must not reach for other hosts";
  EXPECT_EQ(html.find('\x1b'), std::string::npos);
  EXPECT_EQ(as_text(document()).find('\x1b'), std::string::npos);
}

// The places of `parts` in `page`, each behind the one before it.
void expect_in_order(const std::string &page, const std::vector<std::string> &parts) {
  std::size_t at = 0;
  for (const std::string &part : parts) {
    const std::size_t next = page.find(part, at);
    ASSERT_NE(next, std::string::npos) << part << " is not behind what comes before it";
    at = next;
  }
}

TEST(Report, APageBeginsWithTheVerdictAndWhatNeedsAHand) {
  Document one = document();
  one.machines.pop_back();
  Ledger &settings = one.machines[0].settings;
  settings.settle(settings.enter({"/vms/a.vbox", 15, "/A/@same"}, "1"), Disposition::kept, "");
  const std::string page = as_html(one);
  expect_in_order(
      page, {"<main>", "migrated in 32 s", "What needs your hand", "disk.none", "virsh start a", "/vms/base.vdi",
             "tcp 127.0.0.1:2222 -&gt; 22", "2023-11-14 22:13 UTC", "/A/@b", "<details>", "/A/@same", "Domain XML"});
  EXPECT_EQ(page.find("<script>"), std::string::npos) << "there is nothing to sort";
  EXPECT_NE(page.find("virt-ferry batch /vms"), std::string::npos);
}

TEST(Report, APictureShowsWhatTheMachineIsMadeOfBeforeAndAfter) {
  Document one = document();
  one.machines.pop_back();
  const std::string page = as_html(one);
  expect_in_order(page,
                  {"Before and after", "Before: PIIX3, BIOS; IDE (PIIX4): leaf.vdi, 1.0 GiB, on 2 images, CD empty",
                   ">IDE (PIIX4)</text>", ">leaf.vdi, 1.0 GiB, on 2 images</text>", ">NAT</text>",
                   ">hda: a.qcow2, 1.0 GiB</text>", ">user &lt;&amp;&gt; &quot;x&quot;</text>", "Disks</h3>"});
  one.machines[0].picture->before.controllers[0].drives[0] = std::string(200, 'x') + ".vdi";
  EXPECT_NE(as_html(one).find("xxx.vdi</text>"), std::string::npos) << "names differ at their ends";
  EXPECT_EQ(as_html(one).find(std::string(60, 'x') + ".vdi</text>"), std::string::npos) << "it is wider than its box";
}

TEST(Report, APlanOfManyTellsTheSpaceOfEachFolderAndTheTime) {
  Document plan = document();
  plan.machines.assign(3, full_machine());
  for (MachineReport &machine : plan.machines) {
    machine.status = Status::planned;
    machine.run.clear();
    machine.written.reset();
    machine.space_needed = 100ULL << 30U;
    machine.space_available = 150ULL << 30U;
  }
  plan.machines[2].files = {"/other/b.qcow2"};
  plan.machines[2].space_available.reset();
  const std::string page = as_html(plan);
  expect_in_order(page,
                  {"id=\"space\"", "/out", "class=\"critical\">200 GiB", "150 GiB", "/other", "100 GiB", "not known",
                   "about 26 min 51 s of copying, at 191 MiB/s as earlier runs here", "id=\"machines\""});
  plan.rate.reset();
  EXPECT_NE(as_html(plan).find("at 143 MiB/s as a plain disk reads"), std::string::npos);
}

TEST(Report, APageOfManyHasTotalsCausesAndATableFirst) {
  const std::string page = as_html(document());
  expect_in_order(page, {"2 machines: 1 migrated, 1 refused", "id=\"causes\"", "the machine is encrypted",
                         "<a href=\"#m1\">broken</a>", "id=\"machines\"", "data-status=\"refused\"",
                         "data-status=\"migrated\"", "<h2 id=\"m0\">", "<h2 id=\"m1\">", "<script>"});
}

TEST(Report, APageOfThreeHundredMachinesIsSmall) {
  Document many = document();
  MachineReport machine = full_machine();
  for (int i = 0; i < 120; ++i) {
    const auto id = machine.settings.enter({"/vms/a.vbox", 20, "/VirtualBox/Machine/Hardware/A/@s" + std::to_string(i)},
                                           "value of a setting");
    machine.settings.settle(id, i < 10 ? Disposition::dropped : Disposition::kept, "what became of it, in a few words");
  }
  machine.domain_xml = std::string(8000, 'x');
  many.machines.assign(300, machine);
  const std::string page = as_html(many);
  EXPECT_LT(page.size(), std::size_t{3} << 20U);
  EXPECT_NE(page.find("/A/@s9"), std::string::npos) << "what is lost is there";
  EXPECT_EQ(page.find("xxxx"), std::string::npos);
  many.machines.resize(20);
  EXPECT_NE(as_html(many).find("xxxx"), std::string::npos);
}

TEST(Report, TextShowsWhatIsLostWithItsLine) {
  const std::string text = as_text(document());
  EXPECT_NE(text.find("3: 0 kept, 0 translated, 1 dropped, 0 irrelevant, 1 unknown, 1 unsettled"), std::string::npos)
      << text;
  EXPECT_NE(text.find("dropped: line 12: /A/@b = \"value\""), std::string::npos) << text;
  EXPECT_NE(text.find("unknown: line 13: /A/@c = \"odd\""), std::string::npos) << text;
  EXPECT_NE(text.find("critical: disk.none at /vms/a.vbox:4: /A"), std::string::npos) << text;
  EXPECT_NE(text.find("the machine is encrypted"), std::string::npos) << text;
}

TEST(Report, TheUsualTextBeginsWithTheResultAndWhatNeedsAHand) {
  const std::string text = as_text(document(), {.detail = Detail::usual});
  EXPECT_EQ(text.find("a<b>\"&\\x1b[31m: migrated in 32 s, 3.0 GiB written, 1 thing needs your hand\n\n"
                      "  critical: the message (line 4) [disk.none]\n    the advice\n"),
            0U)
      << text;
  EXPECT_NE(text.find("  disk       a.qcow2 (1.0 GiB, of a chain of 2, verified)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("the guest sees enp0s3\n  forwards   tcp 127.0.0.1:2222 -> 22\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  seen       Debian GNU/Linux 12 (bookworm), on partition 1 of disk 1\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("  snapshots  2: first, second (current)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  settings   3: 3 not carried over, 1 of them unknown"), std::string::npos) << text;
  EXPECT_NE(text.find("broken: refused: the machine is encrypted (line 3)\n  found a key safe\n"), std::string::npos)
      << text;
  const std::string result = as_text(document(), {.detail = Detail::result});
  EXPECT_EQ(std::count(result.begin(), result.end(), '\n'), 2) << result;
  EXPECT_TRUE(text.starts_with(result.substr(0, result.find('\n') + 1)));
}

TEST(Report, TextHasColoursOnlyWhenAsked) {
  const std::string text = as_text(document(), {.detail = Detail::usual, .colour = true});
  EXPECT_NE(text.find("\x1b[1;32mmigrated in 32 s\x1b[0m"), std::string::npos) << text;
  EXPECT_NE(text.find("\x1b[1;31mcritical\x1b[0m: the message"), std::string::npos) << text;
  EXPECT_NE(text.find("\x1b[1;31mrefused\x1b[0m"), std::string::npos) << text;
}

TEST(Report, TheSameOfSeveralThingsIsToldTogether) {
  MachineReport machine = refused_machine();
  machine.findings = {
      {"a.b", Severity::info, {machine.source, 7, {}}, "A note.", ""},
      {"vbox.file-missing", Severity::critical, {machine.source, 9, {}}, "One is not there.", "Copy it."},
      {"vbox.file-missing", Severity::critical, {machine.source, 9, {}}, "One, again.", "Copy it."},
      {"vbox.file-missing", Severity::critical, {"/vms/b.vmx", 9, {}}, "Two is not there.", "Copy it."},
      {"c.d", Severity::critical, {machine.source, 3, "encryption.keySafe"}, "It is encrypted.", ""}};
  const auto told = told_findings(machine);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].first->message, "One is not there.");
  ASSERT_EQ(told[0].more.size(), 1U);
  EXPECT_EQ(short_place(told[0].more[0]->where, machine), "b.vmx:9");
  EXPECT_EQ(told[1].first->message, "A note.");
  EXPECT_EQ(count_in_need(told), 2U);
  // What only follows from another finding, of the same thing.
  machine.refusal.reset();
  machine.findings = {
      {"medium.removable-missing", Severity::warning, {machine.source, 8, {}}, "\"a.iso\" is gone.", ""},
      {"medium.removable-missing", Severity::warning, {machine.source, 9, {}}, "\"b.iso\" is gone.", ""},
      {"vbox.removable-missing", Severity::warning, {machine.source, 2, {}}, "No \"a.iso\" there.", ""}};
  const auto rest = told_findings(machine);
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest[0].first->message, "\"b.iso\" is gone.");
  EXPECT_EQ(rest[1].first->id, "vbox.removable-missing");
}

TEST(Report, OneSettingInSeveralStatesIsToldOnce) {
  MachineReport machine;
  for (const char *path : {"/VirtualBox/Machine/Snapshot/Hardware/CPU/@x",
                           "/VirtualBox/Machine/Snapshot/Snapshots/Snapshot[2]/Hardware/CPU/@x",
                           "/VirtualBox/Machine/Hardware/CPU/@x", "/VirtualBox/Machine/Hardware/CPU/@y"}) {
    machine.settings.settle(machine.settings.enter({"/a.vbox", 3, path}, "true"), Disposition::dropped, "why");
  }
  const auto told = told_settings(machine);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].states, 3U);
  EXPECT_EQ(told[1].states, 1U);
  EXPECT_NE(as_text({.machines = {machine}}).find("/Hardware/CPU/@x = \"true\", in 3 states\n"), std::string::npos);
}

TEST(Report, AFindingWithoutAdviceLeavesNoGap) {
  Document one;
  MachineReport machine;
  machine.name = "web";
  machine.findings.push_back({"a.b", Severity::info, {"/vms/web.vbox", 4, {}}, "It is so.", ""});
  one.machines.push_back(machine);
  EXPECT_EQ(as_html(one).find("<div><strong></strong>"), std::string::npos);
  EXPECT_NE(as_html(one).find("<code>a.b</code><div>It is so. <span class=\"mild\">web.vbox:4</span></div></li>"),
            std::string::npos)
      << as_html(one);
  EXPECT_NE((as_text(one) + "$").find("info: a.b at /vms/web.vbox:4\n    It is so.\n$"), std::string::npos)
      << as_text(one);
}

TEST(Report, TextIsWrappedForATerminal) {
  Document one;
  MachineReport machine;
  machine.findings.push_back(
      {"a.b", Severity::info, {}, "The " + std::string(40, 'x') + " and " + std::string(35, 'y') + ".", ""});
  one.machines.push_back(machine);
  EXPECT_NE(as_text(one).find("    The " + std::string(40, 'x') + " and\n    " + std::string(35, 'y') + ".\n"),
            std::string::npos)
      << as_text(one);
}

TEST(Report, ABatchBeginsWithTotalsAndTheWorst) {
  Document many = document();
  MachineReport done = full_machine();
  done.name = "done";
  done.findings.clear();
  many.machines.insert(many.machines.begin(), done);
  MachineReport before = done;
  before.name = "before";
  before.status = Status::skipped;
  before.run = "20261101-000000-0000";
  before.written.reset();
  before.seconds.reset();
  many.machines.push_back(before);
  const std::string text = batch_text(many, {.detail = Detail::usual});
  EXPECT_EQ(
      text.find("4 machines: 2 migrated, 1 skipped, 1 refused; 6.0 GiB written in 1 min 5 s of\nwork; 1 needs your "
                "hand\n\nMACHINE "),
      0U)
      << text;
  const std::vector<std::string> order{"\nbroken ", "\na<b>", "\ndone ", "\nbefore "};
  for (std::size_t i = 1; i < order.size(); ++i) EXPECT_LT(text.find(order[i - 1]), text.find(order[i])) << text;
  EXPECT_NE(text.find("20261101-000000-0000  done by that run"), std::string::npos) << text;
  EXPECT_NE(text.find("\nrefused: the machine is encrypted\n    broken\n    Decrypt it.\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\ncritical: the message [disk.none]\n    a<b>\"&\\x1b[31m\n    the advice\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("virt-ferry undo batch-20261129-120557-bc49\n"), std::string::npos) << text;
  const std::string result = batch_text(many, {.detail = Detail::result});
  EXPECT_TRUE(text.starts_with(result));
  EXPECT_NE(batch_text(many, {.detail = Detail::all}).find("dropped: line 12: /A/@b"), std::string::npos);
}

TEST(Report, ABatchNamesOneCauseOnceWithItsMachines) {
  Document many;
  for (int i = 0; i < 7; ++i) {
    MachineReport machine = refused_machine();
    machine.name = "m" + std::to_string(i);
    if (i >= 2) {
      machine.refusal.reset();
      machine.status = Status::planned;
      machine.findings = {{"nic.isolated", Severity::warning, {"/x", 1, {}}, "Card " + machine.name + ".", "Do."}};
    }
    many.machines.push_back(machine);
  }
  const std::string text = batch_text(many, {.detail = Detail::usual});
  EXPECT_NE(text.find("refused: the machine is encrypted\n    m0, m1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("warning: Card m2. [nic.isolated]\n    m2, m3, m4, m5, m6\n    Do.\n"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("Card m3"), std::string::npos) << text;
}

}  // namespace
}  // namespace ferry::report
