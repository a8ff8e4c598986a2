// SPDX-License-Identifier: Apache-2.0
// What is no machine says what it is and what to do; what is one in another dress is read; nothing is overlooked.
#include "migration/foreign_source.hpp"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <set>

#include "exporters/libvirt/host/host_profile.hpp"
#include "exporters/libvirt/target.hpp"
#include "migration/batch.hpp"
#include "migration/journal.hpp"
#include "migration/migrate.hpp"
#include "migration/option_values.hpp"
#include "migration/target_names.hpp"
#include "tests/kit/scratch.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

const std::string kVmx =
    "config.version = \"8\"\r\nguestOS = \"other\"\r\nmemsize = \"64\"\r\ndisplayName = \"Ubuntu\"\r\n";
const std::string kVbox =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<VirtualBox xmlns=\"http://www.virtualbox.org/\" "
    "version=\"1.16-linux\">\n<Machine uuid=\"{aabbccdd-0011-2233-4455-66778899aabb}\" name=\"lab\" "
    "OSType=\"Debian_64\"><Hardware><Memory RAMSize=\"64\"/></Hardware></Machine></VirtualBox>\n";

std::string utf16(const std::string &ascii, bool little) {
  std::string out = little ? "\xFF\xFE" : "\xFE\xFF";
  for (const char c : ascii) {
    if (!little) out += '\0';
    out += c;
    if (little) out += '\0';
  }
  return out;
}

class Foreign : public testing::Test {
 protected:
  ErrorDetail refused(const fs::path &path) {
    try {
      (void)find_source(path.string());
    } catch (const Error &error) {
      EXPECT_EQ(exit_code(error.kind()), 3);
      return error.detail();
    }
    ADD_FAILURE() << path << " was taken";
    return {};
  }
  tests::Scratch scratch_;
};

TEST_F(Foreign, EachKindSaysWhatItIs) {
  const std::vector<std::array<std::string, 4>> cases{
      {"a.zip", "PK\x03\x04xxxx", "ZIP", "Unpack"},
      {"a.ova", "7z\xBC\xAF\x27\x1C", "7z", "Unpack"},
      {"a.ova", "\x28\xB5\x2F\xFD----", "zstd", "zstd -d"},
      {"a.ova", "<!DOCTYPE html>\n<html><head>", "web page", "Download"},
      {"b.ova", "<HTML><BODY>404", "web page", "Download"},
      {"a.ova", "", "empty", "again"},
      {"a.vmx", std::string(4096, '\0'), "zeros", "again"},
      {"a.vmxf", "<?xml version=\"1.0\"?>\n<Foundry>\n<VM/></Foundry>", "vmxf", ".vmx"},
      {"a.vmsd", ".encoding = \"UTF-8\"\nsnapshot.lastUID = \"1\"\n", "vmsd", ".vmx"},
      {"a.mf", "SHA256(a.ovf)= 00\n", "manifest", ".ovf"},
      {"b.mf", "SHA256 (a.ovf) = 00\r\n", "manifest", ".ovf"},
      {"inventory.vmls", ".encoding = \"UTF-8\"\nvmlist1.config = \"/a.vmx\"\n", "inventory.vmls", ".vmx"},
      {"VirtualBox.xml", "<?xml version=\"1.0\"?>\n<VirtualBox version=\"1.12-linux\">\n<Global/></VirtualBox>",
       "VirtualBox.xml", ".vbox"},
      {"config.pvs", "<?xml version=\"1.0\"?>\n<ParallelsVirtualMachine/>", "Parallels", "disk convert"},
      {"m.xml", utf16("<?xml version=\"1.0\"?>\n<configuration><properties/></configuration>", true), "Hyper-V",
       "disk convert"},
      {"d.vhdx", "vhdxfile" + std::string(2000, '\0'), "disk image", "disk convert d.vhdx"},
      {"d.vdi", std::string(64, '<') + std::string("\x7f\x10\xda\xbe") + std::string(2000, '\0'), "disk image",
       "disk convert d.vdi"},
      {"a.nvram", "MRVN----", "nvram", ".vmx"},
      {"d.xml", "<domain type='kvm'/>", "libvirt", "virsh define"},
      {"a.txt", "hello\n", "text", "disk convert"}};
  for (const auto &[name, content, what, advice] : cases) {
    const ErrorDetail detail = refused(scratch_.write(name, content));
    EXPECT_NE(detail.found.find(what), std::string::npos) << name << ": " << detail.found;
    EXPECT_NE(detail.advice.find(advice), std::string::npos) << name << ": " << detail.advice;
  }
}

TEST_F(Foreign, ABrokenVboxNamesTheBackupThatCanBeGiven) {
  for (const std::string &content : {std::string(), std::string(4096, '\0'), kVbox.substr(0, 200)}) {
    scratch_.write("vm/lab.vbox", content);
    scratch_.write("vm/lab.vbox-prev", kVbox);
    libvirt::Target host(libvirt::builtin_host_profile());
    for (const char *source : {"vm/lab.vbox", "vm"}) {
      ErrorDetail detail;
      try {
        const auto planned = plan_source(find_source((scratch_ / source).string()), {}, host, {});
        ASSERT_TRUE(planned.at(0).report.refusal);
        detail = planned.at(0).report.refusal->detail;
      } catch (const Error &error) {
        detail = error.detail();
      }
      EXPECT_NE(detail.advice.find("lab.vbox-prev"), std::string::npos) << content.size() << source << detail.advice;
    }
  }
  fs::remove(scratch_ / "vm/lab.vbox");
  EXPECT_NE(refused(scratch_ / "vm").advice.find("lab.vbox-prev"), std::string::npos);
  fs::remove(scratch_ / "vm/lab.vbox-prev");
  scratch_.write("vm/lab.vbox", std::string(2048, '\0'));
  scratch_.write("vm/lab-1.14-windows.vbox", kVbox);
  EXPECT_NE(refused(scratch_ / "vm").advice.find("lab-1.14-windows.vbox"), std::string::npos);
  EXPECT_EQ(find_source((scratch_ / "vm/lab-1.14-windows.vbox").string()).kind, SourceKind::vbox);
}

TEST_F(Foreign, SettingsInUtf16AreRead) {
  for (const bool little : {true, false}) {
    const fs::path vmx = scratch_.write("u/a.vmx", utf16(kVmx, little));
    EXPECT_EQ(import_source(find_source(vmx.string()), {}).at(0).machine.name, "Ubuntu");
    const fs::path vbox = scratch_.write("v/a.vbox", utf16(kVbox, little));
    EXPECT_EQ(import_source(find_source((scratch_ / "v").string()), {}).at(0).machine.name, "lab") << vbox;
  }
}

TEST_F(Foreign, ABatchOverlooksNothing) {
  scratch_.write("b/good/a.vmx", kVmx);
  scratch_.write("b/zeros/z.vbox", std::string(4096, '\0'));
  scratch_.write("b/empty/e.vmx", "");
  scratch_.write("b/gone/g.vbox-prev", kVbox);
  scratch_.write("b/both/l.vbox", kVbox);
  scratch_.write("b/both/l.vbox-prev", kVbox);
  scratch_.write("b/both/l-1.14-windows.vbox", kVbox);
  scratch_.write("b/notes.txt", "hello");
  scratch_.write("b/good/._a.vmx", "resource fork");
  const auto entries = batch_entries(scratch_ / "b", {});
  std::size_t good = 0, bad = 0;
  for (const BatchEntry &entry : entries) ++(entry.error ? bad : good);
  EXPECT_EQ(good, 2U);
  EXPECT_EQ(bad, 3U);
}

TEST_F(Foreign, MachinesOfOneNameAreNumbered) {
  for (const char *name : {"1/a.vmx", "2/a.vmx", "3/a.vmx"}) scratch_.write(fs::path("n") / name, kVmx);
  Options options;
  options.define = false;
  options.dest = scratch_ / "dest";
  for (const std::string pattern : {"", "{name}-new"}) {
    if (!pattern.empty()) apply_option(options, "name", pattern);
    const auto entries = batch_entries(scratch_ / "n", options);
    Host host;
    host.target = std::make_unique<libvirt::Target>(libvirt::builtin_host_profile());
    const report::Document document = run_batch(entries, 1, true, host, {}, {});
    ASSERT_EQ(document.machines.size(), 3U);
    std::set<std::string> names;
    for (const report::MachineReport &machine : document.machines) {
      EXPECT_FALSE(machine.refusal);
      names.insert(machine.name);
    }
    const std::string base = pattern.empty() ? "Ubuntu" : "Ubuntu-new";
    EXPECT_EQ(names, (std::set<std::string>{base, base + "-2", base + "-3"}));
    const auto &findings = document.machines.at(1).findings;
    EXPECT_TRUE(
        std::any_of(findings.begin(), findings.end(), [](const Finding &one) { return one.id == "name.numbered"; }));
  }
}

// What libvirt cannot have in a name stands in the title, of the numbered ones too.
TEST_F(Foreign, NumberedNamesKeepTheirTitles) {
  std::string vmx = kVmx;
  const std::string name = "Neue Maschine f\xC3\xBCr \xC3\x9C";  // libvirt would cut the last character in two
  vmx.replace(vmx.find("Ubuntu"), 6, name);
  for (const char *file : {"1/a.vmx", "2/a.vmx"}) scratch_.write(fs::path("t") / file, vmx);
  Options options;
  options.define = false;
  options.dest = scratch_ / "dest";
  Host host;
  host.target = std::make_unique<libvirt::Target>(libvirt::builtin_host_profile());
  const report::Document document = run_batch(batch_entries(scratch_ / "t", options), 1, true, host, {}, {});
  ASSERT_EQ(document.machines.size(), 2U);
  EXPECT_NE(document.machines.at(0).domain_xml.find("<title>" + name + "</title>"), std::string::npos);
  const report::MachineReport &second = document.machines.at(1);
  EXPECT_NE(second.domain_xml.find("<title>" + name + "-2</title>"), std::string::npos) << second.domain_xml;
  EXPECT_EQ(second.name, document.machines.at(0).name + "-2");
  EXPECT_TRUE(std::any_of(second.findings.begin(), second.findings.end(),
                          [](const Finding &one) { return one.id == "name.changed"; }));
}

TEST(Names, NumberedForms) {
  EXPECT_TRUE(is_numbered_form("web-2", "web"));
  EXPECT_TRUE(is_numbered_form("web", "web"));
  for (const char *other : {"web-", "web-1", "web-x", "web2", "we"})
    EXPECT_FALSE(is_numbered_form(other, "web")) << other;
  EXPECT_EQ(name_by_pattern("a-{name}-{name}", "x"), "a-x-x");
}

}  // namespace
}  // namespace ferry::migration
