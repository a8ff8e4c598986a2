// SPDX-License-Identifier: Apache-2.0
// A worker, in its cage, reads what this process reads: the golden cases of all importers, running processes, lists of
// machines, locks.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <optional>
#include <sys/wait.h>
#include <thread>
#include <typeinfo>
#include <unistd.h>

#include "migration/reader_messages.hpp"
#include "migration/survey.hpp"
#include "tests/kit/folder.hpp"
#include "tests/paths.hpp"

#include "support/cage.hpp"
#include "support/subprocess.hpp"
#include "support/worker.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;
using test::TempFolder;

// Workers have the environment that the program was started with.
class Workers : public testing::Environment {
 public:
  void SetUp() override {
    home_.emplace();
    setenv("HOME", home_->path().c_str(), 1);
    unsetenv("VBOX_USER_HOME");
    unsetenv("XDG_CONFIG_HOME");
    worker::begin(&serve_reader);
  }
  void TearDown() override { home_.reset(); }

 private:
  std::optional<TempFolder> home_;
};

const auto *const kWorkers = testing::AddGlobalTestEnvironment(new Workers);

// What reading gives, or the error that it throws.
template <class Read>
std::string said(const Read &read) {
  try {
    return read();
  } catch (const Error &error) {
    return exact::written(failure_of(error));
  }
}

// All that a reader says of a source: its machines, their disks, their firmware's store.
std::string all_of(Reader &reader) {
  return said([&] {
    const std::vector<ReadMachine> machines = reader.import(Newer::look);
    std::string out = exact::written(machines);
    for (const ReadMachine &machine : machines) {
      const Hardware &hardware = machine.imported.machine.hardware;
      std::vector<Medium> media;
      for (const DriveRef &ref : drives_of(hardware, "")) {
        if (ref.drive->medium) media.push_back(*ref.drive->medium);
      }
      out += exact::written(reader.look(media, open_options(machine.imported.machine), disk::Engine::automatic));
      if (const auto store = firmware::nvram_source(hardware.firmware))
        out += said([&] { return exact::written(reader.read_nvram(*store)); });
    }
    return out;
  });
}

void expect_same(const FoundSource &source, const Options &options) {
  const std::shared_ptr<Reader> away = reader_of(source, options), here = reader_here(source, options);
  const Reader &one = *away, &other = *here;
  ASSERT_NE(typeid(one), typeid(other)) << "it is not read in a worker";
  EXPECT_EQ(all_of(*away), all_of(*here)) << source.file;
}

class Same : public testing::Test {
 protected:
  void SetUp() override {
    if (!worker::available()) GTEST_SKIP() << "there are no workers here";
  }
  static void write_home(const fs::path &name, std::string_view text) {
    const fs::path file = fs::path(std::getenv("HOME")) / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  TempFolder folder_;
};

std::vector<fs::path> cases_of(const std::string &importer) {
  std::vector<fs::path> out;
  for (const auto &entry : fs::directory_iterator(fs::path(FERRY_SOURCE_DIR) / "fixtures" / importer)) {
    if (entry.is_directory()) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST_F(Same, CasesOfAllImporters) {
  for (const char *importer : {"vbox", "vmx", "ovf", "qemu"}) {
    const std::vector<fs::path> cases = cases_of(importer);
    EXPECT_GT(cases.size(), 3U);
    for (const fs::path &folder : cases) {
      Options options;
      if (fs::exists(folder / "VirtualBox.xml")) options.virtualbox_registry = folder / "VirtualBox.xml";
      fs::path source = folder;
      if (fs::exists(folder / "source")) {
        const std::string name = test::read_text(folder / "source");
        source /= name.substr(0, name.find('\n'));
      }
      const std::string found = said([&] { return exact::written(find_source_in_worker(source)); });
      EXPECT_EQ(found, said([&] { return exact::written(find_source_at(source)); })) << source;
      if (found.find("\"message\"") == std::string::npos) expect_same(exact::read<FoundSource>(found), options);
    }
  }
}

TEST_F(Same, TreesAndSingleFiles) {
  const fs::path fixtures = fs::path(FERRY_SOURCE_DIR) / "fixtures/vbox";
  const FoundBelow away = find_below_in_worker(fixtures), here = find_below(fixtures);
  EXPECT_GT(here.sources.size(), 10U);
  EXPECT_EQ(exact::written(away.sources), exact::written(here.sources));
  EXPECT_EQ(away.unreadable.size(), here.unreadable.size());
  for (const FoundSource &source : here.sources) EXPECT_EQ(detect_in_worker(source.file), source.kind);
  EXPECT_EQ(detect_in_worker(folder_.write("none", "nothing of ours")), std::nullopt);
}

TEST_F(Same, ListsOfMachines) {
  const fs::path web = folder_.write("vms/web/web.vbox",
                                     R"(<VirtualBox xmlns="http://www.virtualbox.org/" version="1.16-linux"><Machine )"
                                     R"(uuid="{11111111-2222-4333-8444-555555555555}" name="the web"/></VirtualBox>)");
  write_home(".config/VirtualBox/VirtualBox.xml",
             R"(<VirtualBox xmlns="http://www.virtualbox.org/" version="1.12-linux"><Global><MachineRegistry>)"
             R"(<MachineEntry uuid="{11111111-2222-4333-8444-555555555555}" src=")" +
                 web.string() + R"("/></MachineRegistry></Global></VirtualBox>)");
  write_home(".vmware/inventory.vmls", "vmlist1.config = \"/vms/a/a.vmx\"\nvmlist1.DisplayName = \"b\"\n");
  folder_.write("volume/Users/me/AppData/Roaming/VMware/inventory.vmls", R"(vmlist1.config = "C:\vms\c.vmx")");
  for (const fs::path &root : {fs::path(), folder_ / "volume"}) {
    const Registered away = registered_in_worker(root), here = read_registered(root);
    EXPECT_EQ(exact::written(away.machines), exact::written(here.machines));
    EXPECT_EQ(away.machines.size(), root.empty() ? 2U : 1U);
    EXPECT_TRUE(away.unreadable.empty());
  }
  EXPECT_EQ(read_registered({}).machines.front().name, "the web");
  write_home(".config/VirtualBox/VirtualBox.xml", "<VirtualBox");
  EXPECT_EQ(registered_in_worker({}).unreadable.size(), 1U);
}

TEST_F(Same, LocksOfVmware) {
  const fs::path settings = folder_.write("vms/a/a.vmx", "config.version = \"8\"\n");
  folder_.write("vms/a/a.vmdk.lck/M1234.lck", "host 4711-99999(vmware-vmx) 1 2\n");
  folder_.write("vms/a/a.vmdk.lck/E1234.lck", "one that waits");
  folder_.write("vms/a/a.vmx.lck", "nothing to be understood");
  const FoundSource source{SourceKind::vmx, settings};
  const std::vector<fs::path> locks{folder_ / "vms/a/a.vmdk.lck", folder_ / "vms/a/a.vmx.lck", folder_ / "none"};
  const std::string away = exact::written(reader_of(source, {})->read_locks(locks));
  EXPECT_EQ(away, exact::written(reader_here(source, {})->read_locks(locks)));
  EXPECT_NE(away.find("4711"), std::string::npos) << away;
}

// A program that runs until the end of this object, in a folder.
class Running {
 public:
  Running(const fs::path &folder, std::vector<std::string> words) : process_(fork()) {
    if (process_ != 0) return;
    std::vector<char *> arguments;
    for (std::string &word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const int null = open("/dev/null", O_RDWR);
    for (int standard = 0; standard <= 2; ++standard) dup2(null, standard);
    if (chdir(folder.c_str()) == 0) execvp(arguments[0], arguments.data());
    _exit(127);
  }
  Running(const Running &) = delete;
  Running &operator=(const Running &) = delete;
  ~Running() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  [[nodiscard]] fs::path words() const { return fs::path("/proc") / std::to_string(process_) / "cmdline"; }
  // Whether it is the program yet, and not this one.
  [[nodiscard]] bool has_begun(const std::string &program) const {
    for (int looks = 0; looks < 1000; ++looks) {
      if (test::read_text(words()).starts_with(program)) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

 private:
  pid_t process_;
};

TEST_F(Same, ProcessesWhoseDisksLieAnywhere) {
  const std::string qemu = "qemu-system-x86_64";
  if (subprocess::find_program(qemu).empty() || subprocess::find_program("qemu-img").empty())
    GTEST_SKIP() << "there is no QEMU";
  for (const char *disk : {"here/one.qcow2", "else, where/two.qcow2"}) {
    fs::create_directories((folder_ / disk).parent_path());
    ASSERT_TRUE(subprocess::run({.program = "qemu-img",
                                 .arguments = {"create", "-q", "-f", "qcow2", (folder_ / disk).string(), "3M"},
                                 .limits = {},
                                 .on_line = {}})
                    .ok());
  }
  const Running machine(folder_ / "here",
                        {qemu, "-S", "-nodefaults", "-display", "none", "-m", "32", "-drive", "file=one.qcow2,if=ide",
                         "-drive", "if=ide,file=" + (folder_ / "else,, where/two.qcow2").string()});
  ASSERT_TRUE(machine.has_begun(qemu));
  EXPECT_EQ(detect_in_worker(machine.words()), SourceKind::qemu);
  const FoundSource source{SourceKind::qemu, machine.words()};
  const std::shared_ptr<Reader> reader = reader_of(source, {});
  const std::vector<ReadMachine> machines = reader->import(Newer::look);
  ASSERT_EQ(machines.size(), 1U);
  std::vector<Medium> media;
  for (const DriveRef &ref : drives_of(machines[0].imported.machine.hardware, "")) media.push_back(*ref.drive->medium);
  ASSERT_EQ(media.size(), 2U);
  for (const MediumLook &look :
       reader->look(media, open_options(machines[0].imported.machine), disk::Engine::automatic)) {
    ASSERT_TRUE(look.info) << look.failure->error().what();
    EXPECT_EQ(look.info->virtual_size, std::uint64_t{3} << 20U);
    EXPECT_EQ(look.info->chain.front().format, ImageFormat::qcow2);
  }
}

TEST_F(Same, ScriptsReachNoFurtherThanOtherMachines) {
  if (cage::offered().landlock == 0) GTEST_SKIP() << "this kernel has no Landlock";
  folder_.write("elsewhere/qcow2", std::string("QFI\xfb\0\0\0\3", 8) + std::string(600, '\0'));
  const fs::path script = folder_.write(
      "vms/a/run.sh", "#!/bin/sh\nqemu-system-x86_64 -drive file=" + (folder_ / "elsewhere/qcow2").string() + "\n");
  const auto format = [&](const std::shared_ptr<Reader> &reader) {
    const auto machines = reader->import(Newer::ignore);
    return drives_of(machines.at(0).imported.machine.hardware, "").at(0).drive->medium->chain.at(0).declared_format;
  };
  const FoundSource source{SourceKind::qemu, script};
  EXPECT_EQ(format(reader_here(source, {})), ImageFormat::qcow2);
  EXPECT_EQ(format(reader_of(source, {})), ImageFormat::raw) << "it looked at what it may not read";
  Options allowed;
  allowed.allow_outside = {folder_ / "elsewhere"};
  EXPECT_EQ(format(reader_of(source, allowed)), ImageFormat::qcow2);
}

}  // namespace
}  // namespace ferry::migration
