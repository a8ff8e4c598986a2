// SPDX-License-Identifier: Apache-2.0
// What counts as a machine in a folder.
#include "migration/source.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "migration/reader.hpp"
#include "tests/kit/scratch.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr auto kVbox = "<VirtualBox xmlns=\"http://www.virtualbox.org/\" version=\"1.19-linux\"/>";

TEST(Source, SettingsOfBeforeAnUpgradeAreNoMachineOfTheirOwn) {
  const tests::Scratch scratch;
  const auto machine = scratch.write("web/web.vbox", kVbox);
  scratch.write("web/web-1.15-linux.vbox", kVbox);
  scratch.write("web/web-1.9-windows-2.vbox", kVbox);
  scratch.write("web/web.vbox-prev", kVbox);
  EXPECT_EQ(find_source((scratch.folder() / "web").string()).file, machine);
  EXPECT_EQ(find_sources_below(scratch.folder()).sources.size(), 1U);
}

TEST(Source, ANameLikeThatWithoutTheMachineBesideItIsOne) {
  const tests::Scratch scratch;
  scratch.write("web-1.15-linux.vbox", kVbox);
  EXPECT_EQ(find_sources_below(scratch.folder()).sources.size(), 1U);
}

TEST(Source, MachinesOfAMountedWindowsVolume) {
  const tests::Scratch scratch;
  const auto lab = scratch.write("mnt/Users/me/VirtualBox VMs/lab/lab.vbox",
                                 "<VirtualBox version=\"1.16-windows\"><Machine name=\"The lab\"/></VirtualBox>");
  const auto web = scratch.write("mnt/Users/you/Documents/web/web.vmx", "config.version = \"8\"\n");
  scratch.write("mnt/Users/me/.VirtualBox/VirtualBox.xml",
                "<VirtualBox version=\"1.12-windows\"><Global><MachineRegistry><MachineEntry "
                "uuid=\"{11111111-2222-3333-4444-555555555555}\" src=\"C:\\Users\\me\\VirtualBox VMs\\lab\\lab.vbox\"/>"
                "<MachineEntry uuid=\"{11111111-2222-3333-4444-555555555556}\" src=\"C:\\gone\\gone.vbox\"/>"
                "</MachineRegistry></Global></VirtualBox>");
  scratch.write("mnt/Users/you/AppData/Roaming/VMware/inventory.vmls",
                "vmlist1.config = \"C:\\Users\\you\\documents\\web\\web.vmx\"\nvmlist1.DisplayName = \"Web\"\n");
  const Registered registered = registered_machines(scratch.folder() / "mnt");
  EXPECT_TRUE(registered.unreadable.empty());
  ASSERT_EQ(registered.machines.size(), 3U);
  EXPECT_EQ(registered.machines[0].name, "The lab");
  EXPECT_EQ(registered.machines[0].file, lab);
  EXPECT_FALSE(registered.machines[1].exists);
  EXPECT_EQ(registered.machines[2].name, "Web");
  EXPECT_EQ(registered.machines[2].file, web) << "another letter case";
}

// Another user for a while, whom the system refuses what it lets root do.
class NotRoot {
 public:
  NotRoot() { EXPECT_TRUE(was_ != 0 || seteuid(65534) == 0); }
  ~NotRoot() { EXPECT_EQ(seteuid(was_), 0); }
  NotRoot(const NotRoot &) = delete;
  NotRoot &operator=(const NotRoot &) = delete;

 private:
  uid_t was_ = geteuid();
};

// What the system does not let us read may be a machine, whatever it is called.
TEST(Source, UnreadableFilesOutsideOfMachinesFoldersAreTold) {
  const tests::Scratch scratch;
  fs::permissions(scratch.folder(), fs::perms(0755));
  scratch.write("vms/web/web.vbox", kVbox);
  for (const char *name : {"vms/web/part-of-web", "vms/server", "vms/data.vmdk", "vms/old.vmx"})
    fs::permissions(scratch.write(name), fs::perms::none);
  fs::create_symlink(scratch.folder() / "vms/server", scratch.folder() / "vms/link");
  const NotRoot not_root;
  const FoundBelow found = find_below(scratch.folder());
  EXPECT_EQ(found.sources.size(), 1U);
  std::vector<std::string> told;
  for (const Error &error : found.unreadable) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
    told.push_back(error.detail().where.file.filename().string());
  }
  EXPECT_EQ(told, (std::vector<std::string>{"old.vmx", "server"}));
}

// In a cage a link that leads out of the folder cannot be read: "Permission denied" would send people to chmod.
TEST(Source, ALinkToWhatCannotBeReadSaysWhereItLeads) {
  const tests::Scratch scratch;
  fs::permissions(scratch.folder(), fs::perms(0755));
  const auto machine = scratch.write("elsewhere/web.vbox", kVbox);
  fs::permissions(machine, fs::perms::none);
  fs::create_directories(scratch.folder() / "vms");
  fs::create_symlink(machine, scratch.folder() / "vms/web.vbox");
  const NotRoot not_root;
  try {
    (void)find_source_at(scratch.folder() / "vms");
    FAIL() << "found";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsafe);
    EXPECT_EQ(error.detail().where.file, scratch.folder() / "vms/web.vbox");
    EXPECT_EQ(error.detail().found, machine.string());
  }
  EXPECT_EQ(find_below(scratch.folder() / "vms").unreadable.at(0).kind(), ErrorKind::unsafe);
}

// Whoever reads it says where it read: the same, however the folder was typed.
TEST(Source, AFileOfAFolderHasItsPlainPath) {
  const tests::Scratch scratch;
  const auto machine = scratch.write("vms/web/web.vbox", kVbox);
  for (const char *typed : {"vms/web/.", "vms/./web", "vms/web/../web/", "vms//web"})
    EXPECT_EQ(find_source((scratch.folder() / typed).string()).file, machine) << typed;
  EXPECT_EQ(find_sources_below(scratch.folder() / "vms/../vms/.").sources.at(0).file, machine);
}

// Files that come from macOS have decomposed names, and a keyboard makes composed ones: they look the same.
TEST(Source, ATypedNameMayBeInTheOtherNormalForm) {
  const tests::Scratch scratch;
  const std::string typed =
                        "Gr\xC3\xB6\xC3\x9F"
                        "e",
                    there =
                        "Gro\xCC\x88\xC3\x9F"
                        "e";
  const auto machine = scratch.write(there + "/" + there + ".vbox", kVbox);
  EXPECT_EQ(find_source((scratch.folder() / typed / (typed + ".vbox")).string()).file, machine);
  EXPECT_EQ(find_source((scratch.folder() / typed).string()).file, machine);
  EXPECT_THROW((void)find_source((scratch.folder() / typed /
                                  "GR\xC3\x96\xC3\x9F"
                                  "E.vbox")
                                     .string()),
               Error)
      << "letter case counts for what is typed";
  scratch.write(typed + "/other.vbox", kVbox);
  EXPECT_EQ(find_source((scratch.folder() / typed).string()).file.filename(), "other.vbox") << "what is there as typed";
}

TEST(Source, AFolderThatIsNotThereIsToldAsSuch) { EXPECT_THROW((void)find_sources_below("/no/such/folder"), Error); }

}  // namespace
}  // namespace ferry::migration
