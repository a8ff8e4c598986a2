// SPDX-License-Identifier: Apache-2.0
#include "tests/corpus/support.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <grp.h>
#include <gtest/gtest.h>
#include <memory>
#include <unistd.h>

#include "tests/paths.hpp"

namespace ferry::corpus {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = FERRY_SOURCE_DIR;

// As root libvirt's driver wants an account that only its system packages create, and an ordinary user is what
// virt-ferry runs as: a root process becomes nobody. What stands in the source tree is read before that.
class OrdinaryUser : public testing::Environment {
 public:
  void SetUp() override {
    host_ = libvirt::load_host_profile(kSource / "fixtures/hosts/debian-12.json");
    if (geteuid() == 0) become_nobody();
    home_ = std::make_unique<Scratch>();
    setenv("HOME", home_->path().c_str(), 1);
    for (const char *name : {"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"}) unsetenv(name);
  }
  void TearDown() override {
    connection_.reset();
    home_.reset();
  }
  [[nodiscard]] const libvirt::HostProfile &host() const { return host_; }

  libvirt::Connection *connection() {
    if (!tried_) {
      tried_ = true;
      try {
        connection_ = std::make_unique<libvirt::Connection>("qemu:///embed?root=" + home_->path().string());
      } catch (const Error &error) {
        if (error.kind() != ErrorKind::unreachable) throw;
      }
    }
    return connection_.get();
  }

 private:
  static void become_nobody() {
    constexpr unsigned kNobody = 65534;
    ASSERT_EQ(setgroups(0, nullptr), 0);
    ASSERT_EQ(setresgid(kNobody, kNobody, kNobody), 0);
    ASSERT_EQ(setresuid(kNobody, kNobody, kNobody), 0);
  }

  libvirt::HostProfile host_;
  std::unique_ptr<Scratch> home_;
  std::unique_ptr<libvirt::Connection> connection_;
  bool tried_ = false;
};
// GoogleTest owns it.
auto *const kOrdinaryUser = static_cast<OrdinaryUser *>(testing::AddGlobalTestEnvironment(new OrdinaryUser));

void read_digests(const fs::path &list, const fs::path &root, std::map<std::string, std::string> &out) {
  std::ifstream in(list);
  for (std::string line; std::getline(in, line);) {
    const std::size_t blanks = line.find("  ");
    const std::size_t comment = line.find("  #");
    if (blanks == std::string::npos) continue;
    const std::string file = line.substr(blanks + 2, comment - blanks - 2);
    out[(list.parent_path() / file).lexically_relative(root).string()] = line.substr(0, blanks);
  }
}

}  // namespace

fs::path unpack(const std::string &name, const Scratch &scratch) {
  const std::string command = "tar -C '" + scratch.path().string() + "' -xJSf '" +
                              (test::corpus() / (name + ".tar.xz")).string() + "' --no-same-owner 2>/dev/null";
  if (std::system(command.c_str()) != 0) return {};
  return scratch.path() / name;
}

std::vector<fs::path> machine_files(const fs::path &root) {
  std::vector<fs::path> out;
  for (const auto &entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    const std::string extension = entry.path().extension().string();
    for (const char *machine : {".vbox", ".vbox-prev", ".vmx", ".ovf", ".ova"}) {
      if (extension == machine) out.push_back(entry.path());
    }
    // Old VirtualBox called a machine's file "NAME.xml"; VirtualBox.xml is the list of machines.
    if (extension == ".xml" && entry.path().parent_path().filename() == "vbox") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

ImportOptions import_options(const fs::path &file, const fs::path &root) {
  ImportOptions options;
  options.use_host_registry = false;
  if (file.extension() != ".vmx" && fs::exists(root / "VirtualBox.xml")) {
    options.virtualbox_registry = root / "VirtualBox.xml";
  }
  return options;
}

const libvirt::HostProfile &host() { return kOrdinaryUser->host(); }

libvirt::Connection *real_libvirt() { return kOrdinaryUser->connection(); }

std::map<std::string, std::string> expected_digests(const fs::path &root) {
  std::map<std::string, std::string> out;
  for (const auto &entry : fs::recursive_directory_iterator(root)) {
    if (entry.path().filename() == "expected.sha256") read_digests(entry.path(), root, out);
  }
  return out;
}

}  // namespace ferry::corpus
