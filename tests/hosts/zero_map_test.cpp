// SPDX-License-Identifier: Apache-2.0
// Where files of another host are zeros: what is said of them, by the programs themselves on this host, and what a file
// makes of it.
#include "hosts/zero_map.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/hosts/sftp_server.hpp"
#include "tests/kit/folder.hpp"

#include "hosts/ssh_host.hpp"
#include "support/subprocess.hpp"

namespace ferry::hosts {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = 1U << 20U;

// A pipe that holds that text and ends after it.
file::Descriptor saying(const std::string &text) {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
  EXPECT_GE(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
  EXPECT_EQ(write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  close(ends[1]);
  return file::Descriptor(ends[0]);
}

ZeroMap map_of(const std::string &text, std::uint64_t size = 100) {
  ZeroMap out(saying(text), size);
  out.update();
  return out;
}

TEST(ZeroMapText, RangesAreKnown) {
  const ZeroMap map = map_of("virt-ferry-zeros 100\n10 20\n20 30\n50 100\n");
  EXPECT_EQ(map.zeros_until(9), 9U);
  EXPECT_EQ(map.zeros_until(10), 30U);
  EXPECT_EQ(map.zeros_until(29), 30U);
  EXPECT_EQ(map.zeros_until(30), 30U);
  EXPECT_EQ(map.zeros_until(99), 100U);
}

TEST(ZeroMapText, WhatALoginSaysIsNoRange) {
  EXPECT_EQ(map_of("Welcome!\n1 2\nvirt-ferry-zeros 100\n10 20\n").zeros_until(1), 1U);
  EXPECT_EQ(map_of("Welcome!\n1 2\nvirt-ferry-zeros 100\n10 20\n").zeros_until(10), 20U);
  EXPECT_EQ(map_of("10 20\n").zeros_until(10), 10U);
  EXPECT_EQ(map_of(std::string(100'000, 'x') + "\nvirt-ferry-zeros 100\n10 20\n").zeros_until(10), 10U);
}

TEST(ZeroMapText, ALineThatIsNotWholeIsNotTaken) {
  EXPECT_EQ(map_of("virt-ferry-zeros 100\n10 2").zeros_until(10), 10U);
}

TEST(ZeroMapText, OfAnotherFileNothingIsTaken) {
  EXPECT_EQ(map_of("virt-ferry-zeros 101\n10 20\n").zeros_until(10), 10U);
}

TEST(ZeroMapText, WhatCannotBeEndsIt) {
  for (const std::string bad : {"30 101", "30 30", "40 30", "5 8", "30", "30 40 50", "a b", "-1 3", "30  40",
                                "99999999999999999999 3", "30 99999999999999999999"}) {
    const ZeroMap map = map_of("virt-ferry-zeros 100\n10 20\n" + bad + "\n60 70\n");
    EXPECT_EQ(map.zeros_until(10), 20U) << bad;
    EXPECT_EQ(map.zeros_until(60), 60U) << bad;
    EXPECT_EQ(map.zeros_until(30), 30U) << bad;
  }
}

// 40 MiB: data, a hole, data, zeros that are stored, data, a hole to the end and past a round number.
constexpr std::uint64_t kSize = 40 * kMiB + 4096;
fs::path file_with_zeros(const test::TempFolder &folder, const std::string &name) {
  fs::path file = folder.write(name, "");
  std::ofstream out(file, std::ios::binary);
  const std::string data(3 * kMiB, 'x');
  const std::string zeros(5 * kMiB, '\0');
  out << data;
  out.seekp(20 * kMiB);
  out << data << zeros << data;
  out.close();
  fs::resize_file(file, kSize);
  return file;
}

class ZeroProgram : public ::testing::TestWithParam<std::string> {
 protected:
  // What a shell that has this program alone says of a file.
  std::string said_of(const std::string &name, const fs::path &folder) {
    const fs::path program = subprocess::find_program(GetParam());
    if (program.empty()) return {};
    const fs::path bin = folder_ / "bin";
    // One that is a script of a version manager's needs the whole PATH.
    const fs::path alone = folder_.write("bin/" + GetParam(), "#!/bin/sh\nPATH='" + std::string(std::getenv("PATH")) +
                                                                  "' exec " + program.string() + " \"$@\"\n");
    fs::permissions(alone, fs::perms::owner_all);
    const fs::path script = folder_.write("script", zero_script(name));
    subprocess::Command command{.program = "/bin/sh",
                                .arguments = {"-c", "cd \"$1\"; PATH=$2; exec /bin/sh <\"$3\"", "sh"},
                                .limits = {},
                                .locked_in = {},
                                .on_line = {}};
    for (const fs::path &argument : {folder, bin, script}) command.arguments.push_back(argument.string());
    const subprocess::Result result = subprocess::run(command);
    EXPECT_TRUE(result.ok()) << result.errors;
    return result.output;
  }
  test::TempFolder folder_;
};

TEST_P(ZeroProgram, FindsHolesAndStoredZeros) {
  const fs::path file = file_with_zeros(folder_, "it's a \"disk\" $(x) \\n-flat.vmdk");
  const std::string said = said_of(file.string(), "/");
  if (said.empty()) GTEST_SKIP() << "there is no " << GetParam() << " here";
  const ZeroMap map = map_of(said, kSize);
  EXPECT_EQ(map.zeros_until(0), 0U);
  EXPECT_EQ(map.zeros_until(3 * kMiB - 1), 3 * kMiB - 1);
  EXPECT_EQ(map.zeros_until(3 * kMiB), 20 * kMiB);
  EXPECT_EQ(map.zeros_until(20 * kMiB), 20 * kMiB);
  EXPECT_EQ(map.zeros_until(23 * kMiB), 28 * kMiB);
  EXPECT_EQ(map.zeros_until(31 * kMiB - 1), 31 * kMiB - 1);
  EXPECT_EQ(map.zeros_until(31 * kMiB), kSize);
}

TEST_P(ZeroProgram, ANameInTheHomeIsNoOption) {
  file_with_zeros(folder_, "-n");
  const std::string said = said_of("-n", folder_.path());
  if (said.empty()) GTEST_SKIP() << "there is no " << GetParam() << " here";
  EXPECT_EQ(map_of(said, kSize).zeros_until(3 * kMiB), 20 * kMiB);
}

INSTANTIATE_TEST_SUITE_P(Programs, ZeroProgram, ::testing::Values("python3", "perl"),
                         [](const auto &of) { return of.param; });

// What is said to be zeros is not read: here it is said of data.
TEST(ZeroMapOfAFile, WhatIsKnownToBeZerosDoesNotTravel) {
  if (test::sftp_server().empty()) GTEST_SKIP() << "there is no sftp-server here";
  const test::TempFolder folder;
  const fs::path file = folder.write("disk-flat.vmdk", "");
  {
    std::ofstream out(file, std::ios::binary);
    out.seekp(8 * kMiB);
    out << std::string(40 * kMiB + 5, 'x');
  }
  const std::uint64_t size = fs::file_size(file);
  test::Servers servers;
  int asked = 0;
  const auto host = ssh_host("me@far", [&](const std::string &) {
    Streams out = servers.start();
    out.zeros_of = [&](const fs::path &path) {
      EXPECT_EQ(path, fs::path("/ssh:me@far" + file.string()));
      ++asked;
      return saying("virt-ferry-zeros " + std::to_string(size) + "\n0 8388608\n16777217 33554433\n" +
                    std::to_string(size - 3) + " " + std::to_string(size) + "\n");
    };
    return std::optional(std::move(out));
  });
  const auto far = host->open("/ssh:me@far" + file.string());
  std::string all(size, 'y');
  for (std::uint64_t at = 0; at < size; at += kMiB) {
    far->read(at, all.data() + at, static_cast<std::size_t>(std::min(kMiB, size - at)));
  }
  EXPECT_EQ(asked, 1);
  std::string expected(size, 'x');
  expected.replace(0, 8 * kMiB, 8 * kMiB, '\0');
  // Whole blocks (253 KiB of this server's) of the second range, and not the last one, which is zeros in a part.
  constexpr std::uint64_t kBlock = 258048;
  const std::uint64_t begin = (16777217 / kBlock + 1) * kBlock;
  const std::uint64_t end = 33554433 / kBlock * kBlock;
  expected.replace(begin, end - begin, end - begin, '\0');
  EXPECT_TRUE(all == expected) << "first difference at "
                               << std::mismatch(all.begin(), all.end(), expected.begin()).first - all.begin();
  // In any order and size.
  std::string part(kMiB, 'y');
  far->read(begin - 100, part.data(), part.size());
  EXPECT_EQ(part, expected.substr(begin - 100, kMiB));
}

TEST(ZeroMapOfAFile, OfDataNobodyAsks) {
  if (test::sftp_server().empty()) GTEST_SKIP() << "there is no sftp-server here";
  const test::TempFolder folder;
  const fs::path file = folder.write("disk.vmdk", std::string(24 * kMiB, 'x'));
  test::Servers servers;
  const auto host = ssh_host("me@far", [&](const std::string &) {
    Streams out = servers.start();
    out.zeros_of = [](const fs::path &) {
      ADD_FAILURE() << "there are no zeros in it";
      return file::Descriptor{};
    };
    return std::optional(std::move(out));
  });
  const auto far = host->open("/ssh:me@far" + file.string());
  std::string part(kMiB, 'y');
  for (std::uint64_t at = 0; at < 24 * kMiB; at += kMiB) far->read(at, part.data(), part.size());
  EXPECT_EQ(part, std::string(kMiB, 'x'));
}

}  // namespace
}  // namespace ferry::hosts
