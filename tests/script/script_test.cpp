// SPDX-License-Identifier: Apache-2.0
// Scripts of whole domains: clean for shellcheck, taken by bash and QEMU, the same machine in any folder.
#include "exporters/script/script.hpp"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"

#include "support/subprocess.hpp"
#include "support/text.hpp"

namespace ferry::script {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path &file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Script script_of(const std::string &xml, const fs::path &folder = {}) {
  const xml::Element domain = xml::parse(xml, "domain.xml");
  return write_script({.domain = &domain, .folder = folder, .heading = "of a test"});
}

bool has(const Script &script, std::string_view id) {
  return std::any_of(script.findings.begin(), script.findings.end(), [&](const Finding &one) { return one.id == id; });
}

std::string replaced(std::string text, const std::string &from, const std::string &to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

std::string escaped(const std::string &text) {
  return replaced(replaced(replaced(replaced(text, "&", "&amp;"), "<", "&lt;"), "\"", "&quot;"), "\n", "&#10;");
}

// A small machine; `disk` is its image.
std::string domain(const std::string &name, const std::string &disk, const std::string &devices = {},
                   const std::string &os = "<type arch='x86_64' machine='pc'>hvm</type>",
                   const std::string &rest = {}) {
  return "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>" + escaped(name) +
         "</name><uuid>11111111-2222-4333-8444-555555555555</uuid><memory unit='MiB'>64</memory><vcpu>2</vcpu><os>" +
         os + "</os><features><acpi/></features><clock offset='utc'/><devices>" +
         (disk.empty() ? ""
                       : "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file=\"" +
                             escaped(disk) + "\"/><target dev='vda' bus='virtio'/></disk>") +
         devices + "</devices>" + rest + "</domain>";
}

class Scripts : public testing::Test {
 protected:
  // Runs the script with a QEMU that says what it was given: one argument between two NULs.
  std::vector<std::string> arguments(const fs::path &script) const {
    const fs::path bin = folder_.write("bin/qemu-system-x86_64", "#!/bin/bash\nprintf '%s\\0' \"$@\"\n");
    fs::permissions(bin, fs::perms::owner_all);
    const subprocess::Result result = subprocess::run(
        {.program = "env",
         .arguments = {"XDG_RUNTIME_DIR=" + (folder_ / "run").string(),
                       "PATH=" + (folder_ / "bin").string() + ":/usr/bin:/bin", "bash", script.string(), "extra one"}});
    EXPECT_TRUE(result.ok()) << result.errors;
    std::vector<std::string> out;
    for (std::size_t at = 0; at < result.output.size();) {
      const std::size_t end = result.output.find('\0', at);
      out.push_back(result.output.substr(at, end - at));
      at = end + 1;
    }
    return out;
  }
  static std::string value_of(const std::vector<std::string> &words, std::string_view beginning) {
    const auto found =
        std::find_if(words.begin(), words.end(), [&](const std::string &word) { return word.starts_with(beginning); });
    return found == words.end() ? "nothing begins with " + std::string(beginning) : *found;
  }

  static void expect_clean(const fs::path &script, const std::string &of) {
    EXPECT_TRUE(subprocess::run({.program = "bash", .arguments = {"-n", script.string()}}).ok()) << of;
    const fs::path shellcheck = subprocess::find_program("shellcheck");
    if (shellcheck.empty()) return;
    const auto checked = subprocess::run({.program = shellcheck.string(), .arguments = {script.string()}});
    EXPECT_TRUE(checked.ok()) << of << checked.output;
  }
  // Whether QEMU takes the script's machine.
  void expect_started(const fs::path &script) const {
    if (subprocess::find_program("qemu-system-x86_64").empty()) GTEST_SKIP() << "there is no QEMU";
    const std::string line = "printf 'quit\\n' | bash \"$0\" -S -monitor stdio -display none";
    const auto ran = subprocess::run(
        {.program = "env",
         .arguments = {"XDG_RUNTIME_DIR=" + (folder_ / "run").string(), "bash", "-c", line, script.string()},
         .limits = {.deadline = std::chrono::seconds(60)}});
    EXPECT_TRUE(ran.ok()) << ran.errors;
  }

  test::TempFolder folder_;
};

TEST_F(Scripts, OfHostileNamesAndPathsHoldThemAsTheyAre) {
  for (const std::string bad :
       {"a b", "a,b", "it's", "say \"x\"", "$(touch x)`id`${HOME}", "a\\b", "a\nb", "ü -x", "50%"}) {
    const fs::path place = folder_ / "vms" / bad;
    fs::create_directories(place);
    const std::string disk = (place / ("d," + bad + ".img")).string();
    const Script made = script_of(domain("n " + bad, disk), place);
    const fs::path file = place / "vm.sh";
    std::ofstream(file) << made.text;
    expect_clean(file, bad);
    const auto words = arguments(file);
    EXPECT_EQ(words.back(), "extra one");
    EXPECT_EQ(value_of(words, "guest="), "guest=n " + replaced(bad, ",", ",,") + ",debug-threads=on");
    EXPECT_EQ(value_of(words, "if=none"), "if=none,id=drive-vda,file=" + replaced(disk, ",", ",,") + ",format=raw");
    // Moved with what lies beside it, it finds that.
    const fs::path elsewhere = folder_ / ("moved," + bad);
    fs::create_directories(elsewhere);
    fs::copy_file(file, elsewhere / "vm.sh");
    EXPECT_EQ(value_of(arguments(elsewhere / "vm.sh"), "if=none"),
              "if=none,id=drive-vda,file=" + replaced((elsewhere / ("d," + bad + ".img")).string(), ",", ",,") +
                  ",format=raw");
    fs::remove(elsewhere / "vm.sh");
  }
}

// Also those whose media are not here.
TEST_F(Scripts, OfEveryGoldenDomainAreClean) {
  unsigned count = 0;
  for (const auto &entry : fs::recursive_directory_iterator(fs::path(FERRY_SOURCE_DIR) / "fixtures")) {
    if (entry.path().filename() != "expected.xml") continue;
    std::string text = read_file(entry.path());
    text.resize(text.find("</domain>") + std::string_view("</domain>").size());  // the first, of a collection
    const xml::Element domain = xml::parse(text, entry.path());
    const Script made = write_script({.domain = &domain, .folder = "/nowhere", .heading = "of a test"});
    expect_clean(folder_.write("vm.sh", made.text), entry.path().string());
    ++count;
    EXPECT_FALSE(has(made, "script.device-left-out")) << entry;
  }
  EXPECT_GE(count, 20U);
}

TEST_F(Scripts, StartInQemu) {
  if (subprocess::find_program("qemu-system-x86_64").empty()) GTEST_SKIP() << "there is no QEMU";
  const std::string disk = folder_.write("disk,1.img", std::string(1U << 20U, 'd')).string();
  const std::string usb = folder_.write("usb,2.img", std::string(1U << 20U, 'u')).string();
  const std::string code = folder_.write("CODE.fd", std::string(256U << 10U, '\xFF')).string();
  const std::string vars = folder_.write("VARS.fd", std::string(256U << 10U, '\xFF')).string();
  const std::string many =
      "<controller type='usb' index='0' model='qemu-xhci'/><controller type='sata' index='0'/>"
      "<controller type='scsi' index='0' model='virtio-scsi'/>"
      "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>"
      "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='" +
      disk +
      "'/><target dev='sdb' bus='scsi'/><shareable/><serial>S1</serial><boot order='1'/></disk>"
      "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='" +
      usb +
      "'/><target dev='sdc' bus='usb'/></disk>"
      "<interface type='user'><mac address='52:54:00:00:00:01'/><model type='e1000'/><ip family='ipv4' "
      "address='10.9.0.0' prefix='24'/></interface>"
      "<interface type='network'><source network='lab'/><mac address='52:54:00:00:00:02'/><model "
      "type='virtio'/></interface>"
      "<serial type='pty'/><serial type='file'><source path='" +
      (folder_ / "log,1").string() +
      "' append='on'/></serial><parallel type='null'/>"
      "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
      "<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>"
      "<hub type='usb'><address type='usb' bus='0' port='1'/></hub>"
      "<input type='tablet' bus='usb'><address type='usb' bus='0' port='1.2'/></input><input type='keyboard' "
      "bus='ps2'/>"
      "<iommu model='intel'/><graphics type='spice' passwd='secret'><clipboard copypaste='no'/><filetransfer "
      "enable='no'/></graphics><sound model='ich9'/><video><model type='qxl' ram='65536' vram='65536' "
      "vgamem='16384' heads='1'/></video><redirdev bus='usb' type='spicevmc'/>"
      "<memballoon model='virtio'/><rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"
      "<watchdog model='i6300esb' action='reset'/><panic model='isa'/>";
  const std::string efi = "<type arch='x86_64' machine='q35'>hvm</type><loader readonly='yes' type='pflash'>" + code +
                          "</loader><nvram template='" + vars + "'>" + (folder_ / "own,VARS.fd").string() + "</nvram>";
  for (const auto &[xml, words] : std::vector<std::pair<std::string, std::string>>{
           {domain("bios", disk, "<graphics type='vnc'/><video><model type='vga' vram='16384'/></video>"), "pc"},
           {domain("efi", "", many, efi), "q35"}}) {
    const Script made = script_of(xml, folder_.path());
    EXPECT_EQ(made.text.find("secret"), std::string::npos);
    for (const char *kept : {"disable-copy-paste=on", "disable-agent-file-xfer=on", "intel-iommu"})
      EXPECT_EQ(made.text.find(kept) != std::string::npos, words == "q35") << kept;
    const fs::path file = folder_.write("vm.sh", made.text);
    const std::string line =
        "(echo '{\"execute\":\"qmp_capabilities\"}'; echo '{\"execute\":\"query-block\"}'; echo "
        "'{\"execute\":\"quit\"}') | bash \"$0\" -S -qmp stdio";
    const auto ran = subprocess::run(
        {.program = "env",
         .arguments = {"XDG_RUNTIME_DIR=" + (folder_ / "run").string(), "bash", "-c", line, file.string()},
         .limits = {.deadline = std::chrono::seconds(60)}});
    EXPECT_TRUE(ran.ok()) << words << ran.errors << made.text;
    EXPECT_NE(ran.output.find("disk,1.img"), std::string::npos) << ran.output;
  }
  // The firmware's variables are the machine's own from then on.
  EXPECT_EQ(fs::file_size(folder_ / "own,VARS.fd"), 256U << 10U);
  EXPECT_EQ(fs::status(folder_ / "run/vm-11111111-2222-4333-8444-555555555555").permissions(), fs::perms::owner_all);
}

TEST_F(Scripts, SayWhatTheyCannotDo) {
  const Script made = script_of(domain(
      "x", "",
      "<interface type='network'><source network='lab'/><model type='virtio'/></interface>"
      "<interface type='user'><link state='down'/><model type='e1000'/></interface>"
      "<disk type='network' device='disk'><source protocol='rbd' name='p/i'/><target dev='vdb' bus='virtio'/></disk>"
      "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1'/><product id='0x2'/></source></hostdev>"
      "<graphics type='vnc' passwd='secret'/><vsock model='virtio'/>",
      "<type arch='x86_64' machine='pc'>hvm</type>", "<seclabel type='none'/><cputune/>"));
  for (const char *id : {"script.network-changed", "script.link-down", "script.device-left-out", "script.host-device",
                         "script.secret", "script.left-out"})
    EXPECT_TRUE(has(made, id)) << id;
  const auto left = std::count_if(made.findings.begin(), made.findings.end(),
                                  [](const Finding &one) { return one.id == "script.device-left-out"; });
  EXPECT_EQ(left, 2);  // the disk and the vsock
}

// The card stays, with its address and its place, and nothing is behind it; the other has its network as before.
TEST_F(Scripts, ACardWhoseLinkIsDownIsConnectedToNothing) {
  const Script made = script_of(domain(
      "x", "",
      "<interface type='user'><mac address='52:54:00:00:00:01'/><link state='down'/><model type='e1000'/><address "
      "type='pci' domain='0' bus='0' slot='5' function='0'/></interface>"
      "<interface type='bridge'><mac address='52:54:00:00:00:02'/><source bridge='br0'/><link state='down'/><model "
      "type='virtio'/></interface>"
      "<interface type='user'><mac address='52:54:00:00:00:03'/><link state='up'/><model type='e1000'/></interface>"));
  const fs::path file = folder_.write("vm.sh", made.text);
  expect_clean(file, "cards");
  const auto words = arguments(file);
  EXPECT_EQ(std::count(words.begin(), words.end(), "-netdev"), 1);
  const std::string down = value_of(words, "e1000,id=net0");
  EXPECT_NE(down.find("mac=52:54:00:00:00:01"), std::string::npos) << down;
  EXPECT_NE(down.find("addr=0x5"), std::string::npos) << down;
  EXPECT_EQ(value_of(words, "virtio-net-pci,").find("netdev="), std::string::npos);
  EXPECT_NE(value_of(words, "e1000,netdev=hostnet2").find("mac=52:54:00:00:00:03"), std::string::npos);
  EXPECT_EQ(std::count_if(made.findings.begin(), made.findings.end(),
                          [](const Finding &one) { return one.id == "script.link-down"; }),
            2);
  EXPECT_FALSE(has(made, "script.network-changed"));
  expect_started(file);
}

// libvirt starts virtiofsd; a folder that QEMU shares by itself is there all the same.
TEST_F(Scripts, AFolderOfVirtiofsIsLeftOutAndSaidSo) {
  fs::create_directories(folder_ / "open");
  const Script made = script_of(domain(
      "x", "",
      "<filesystem type='mount' accessmode='passthrough'><driver type='virtiofs'/><source dir='/srv/private'/><target "
      "dir='fast'/></filesystem>"
      "<filesystem type='mount' accessmode='mapped'><source dir='" +
          (folder_ / "open").string() + "'/><target dir='plain'/></filesystem>",
      "<type arch='x86_64' machine='q35'>hvm</type>",
      "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"));
  const fs::path file = folder_.write("vm.sh", made.text);
  expect_clean(file, "folders");
  const auto words = arguments(file);
  const auto speaks_of = [&](std::string_view what) {
    return std::any_of(words.begin(), words.end(),
                       [&](const std::string &word) { return word.find(what) != std::string::npos; });
  };
  EXPECT_FALSE(speaks_of("virtiofs") || speaks_of("vhost-user-fs") || speaks_of("/srv/private"));
  EXPECT_TRUE(speaks_of("mount_tag=plain"));
  const auto said = std::find_if(made.findings.begin(), made.findings.end(),
                                 [](const Finding &one) { return one.id == "script.device-left-out"; });
  ASSERT_NE(said, made.findings.end());
  EXPECT_NE(said->message.find("/srv/private"), std::string::npos) << said->message;
  EXPECT_NE(made.text.find("/srv/private"), std::string::npos) << "the script's head says it too";
  expect_started(file);
}

TEST_F(Scripts, SayWhatLibvirtKeepsOfADomain) {
  const xml::Element tree = xml::parse(
      domain("x", "/srv/x.img", "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"), "domain.xml");
  const Script made = write_script({.domain = &tree, .heading = "of a test", .snapshots = 2, .is_defined = true});
  for (const char *id : {"script.same-images", "script.snapshots", "script.tpm-new"}) EXPECT_TRUE(has(made, id)) << id;
}

TEST_F(Scripts, AreWrittenOfPcsOfQemusOnly) {
  for (const char *os :
       {"<type arch='aarch64' machine='virt'>hvm</type>", "<type arch='x86_64' machine='microvm'>hvm</type>",
        "<type>exe</type>", "<type arch='x86_64' machine='isapc'>hvm</type>"}) {
    try {
      (void)script_of(domain("x", "", {}, os));
      ADD_FAILURE() << os;
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    }
  }
  EXPECT_THROW((void)script_of("<domain/>"), Error);
}

// What a guest names its disks by is what libvirt gives it.
TEST_F(Scripts, KeepTheNamesByWhichGuestsKnowDisks) {
  const Script made = script_of(domain(
      "x", "",
      "<controller type='scsi' index='0' model='virtio-scsi'/>"
      "<disk type='file' device='disk'><source file='/a.img'/><target dev='sda' bus='scsi'/><address type='drive' "
      "controller='0' bus='0' target='2' unit='1'/></disk>"
      "<disk type='file' device='disk'><source file='/b.img'/><target dev='sdb' bus='scsi'/><serial>S2</serial></disk>"
      "<disk type='file' device='disk'><source file='/c.img'/><target dev='sdc' bus='usb'/></disk>"));
  EXPECT_NE(made.text.find("device_id=drive-scsi0-0-2-1"), std::string::npos) << made.text;
  EXPECT_NE(made.text.find("serial=S2"), std::string::npos);
  EXPECT_EQ(made.text.find("device_id", made.text.find("serial=S2")), std::string::npos);
  EXPECT_NE(made.text.find("-blockdev \"driver=raw,node-name=drive-sdc"), std::string::npos) << made.text;
}

// A card whose backend the domain hands to QEMU itself, as our own domains do for port forwards.
TEST_F(Scripts, PassOnWhatTheDomainHandsToQemu) {
  const Script made = script_of(
      domain("x", "", "<interface type='user'><model type='e1000'/><alias name='ua-nic0'/></interface>",
             "<type arch='x86_64' machine='pc'>hvm</type>",
             "<qemu:commandline><qemu:arg value='-netdev'/><qemu:arg "
             "value='user,id=f0,hostfwd=tcp::2222-:22'/></qemu:commandline>"
             "<qemu:override><qemu:device alias='ua-nic0'><qemu:frontend><qemu:property name='netdev' type='string' "
             "value='f0'/></qemu:frontend></qemu:device></qemu:override>"));
  EXPECT_NE(made.text.find("hostfwd=tcp::2222-:22"), std::string::npos);
  EXPECT_NE(made.text.find("netdev=f0"), std::string::npos);
  EXPECT_EQ(made.text.find("hostnet0"), std::string::npos);
}

}  // namespace
}  // namespace ferry::script
