// SPDX-License-Identifier: Apache-2.0
// Files by SFTP from a real server, against what std::filesystem says of them.
#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>

#include "tests/hosts/sftp_server.hpp"
#include "tests/kit/folder.hpp"

#include "hosts/request_guard.hpp"
#include "hosts/ssh_host.hpp"

namespace ferry::hosts {
namespace {

namespace fs = std::filesystem;

std::string pattern(std::size_t length) {
  std::string out(length, '\0');
  std::uint32_t state = 12345;
  for (char &c : out) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24U);
  return out;
}

class OtherHost : public ::testing::Test {
 protected:
  void SetUp() override {
    if (test::sftp_server().empty()) GTEST_SKIP() << "there is no sftp-server here";
    host_ = ssh_host("me@far", [this](const std::string &) { return std::optional(servers_.start()); },
                     {.pause = std::chrono::milliseconds(0)});
  }
  [[nodiscard]] fs::path far(const fs::path &file) const { return "/ssh:me@far" + file.string(); }
  [[nodiscard]] std::string read(const on_host::File &file, std::uint64_t offset, std::size_t length) const {
    std::string out(length, '\0');
    file.read(offset, out.data(), length);
    return out;
  }

  test::TempFolder folder_;
  test::Servers servers_;
  std::shared_ptr<on_host::Host> host_;
};

TEST_F(OtherHost, FilesAreAsTheyAre) {
  const fs::path file = folder_.write("web.vmx", "four");
  fs::create_symlink("web.vmx", folder_ / "link.vmx");
  const auto found = host_->status(far(file), file::Links::follow);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->is_regular());
  EXPECT_EQ(found->size, 4U);
  const auto here = file::status_of(file);
  EXPECT_EQ(found->modified / 1'000'000'000, here->modified / 1'000'000'000);
  EXPECT_EQ(found->mode, here->mode);
  EXPECT_EQ(found->owner, here->owner);
  const auto by_link = host_->status(far(folder_ / "link.vmx"), file::Links::follow);
  ASSERT_TRUE(by_link);
  EXPECT_TRUE(by_link->same_file(*found));
  const auto link = host_->status(far(folder_ / "link.vmx"), file::Links::no_follow);
  ASSERT_TRUE(link);
  EXPECT_FALSE(link->same_file(*found));
  EXPECT_TRUE(S_ISLNK(link->mode));
  EXPECT_TRUE(host_->status(far(folder_.path()), file::Links::follow)->is_folder());
  EXPECT_FALSE(host_->status(far(folder_ / "none"), file::Links::follow));
}

TEST_F(OtherHost, PathsAreResolvedThere) {
  const fs::path file = folder_.write("a/web.vmx");
  fs::create_symlink(folder_ / "a", folder_ / "b");
  EXPECT_EQ(host_->real(far(folder_ / "b/web.vmx")), far(file));
  EXPECT_EQ(host_->real(far(folder_ / "b/../a/web.vmx")), far(file));
  EXPECT_EQ(host_->real(far(folder_ / "b/none")), std::nullopt);
  EXPECT_EQ(host_->real("/ssh:me@far/~"), far(fs::canonical(fs::current_path())));  // where it was started
}

TEST_F(OtherHost, FoldersAreListedWhole) {
  for (int i = 0; i < 500; ++i) folder_.write("file" + std::to_string(i));
  fs::create_directory(folder_ / "below");
  fs::create_symlink("below", folder_ / "link");
  auto entries = host_->list(far(folder_.path()));
  ASSERT_TRUE(entries);
  EXPECT_EQ(entries->size(), 502U);
  const auto named = [&](const std::string &name) {
    return *std::find_if(entries->begin(), entries->end(),
                         [&](const auto &one) { return one.path.filename() == name; });
  };
  EXPECT_TRUE(named("file7").is_file);
  EXPECT_TRUE(named("below").is_folder);
  EXPECT_FALSE(named("below").is_link);
  EXPECT_TRUE(named("link").is_folder);
  EXPECT_TRUE(named("link").is_link);
  EXPECT_FALSE(host_->list(far(folder_ / "none")));
  EXPECT_FALSE(host_->list(far(folder_ / "file7")));
}

TEST_F(OtherHost, BytesAreTheSameInAnyOrder) {
  const std::string content = pattern(3'000'017);
  const fs::path file = folder_.write("disk", content);
  const auto open = host_->open(far(file));
  EXPECT_EQ(open->status().size, content.size());
  EXPECT_EQ(read(*open, 0, content.size()), content);
  EXPECT_EQ(read(*open, 2'999'999, 18), content.substr(2'999'999));
  std::uint32_t state = 7;
  for (int i = 0; i < 200; ++i) {
    const std::size_t offset = (state = state * 1664525 + 1013904223) % content.size();
    const std::size_t length = std::min<std::size_t>(content.size() - offset, state >> 16U);
    ASSERT_EQ(read(*open, offset, length), content.substr(offset, length)) << offset;
  }
  EXPECT_THROW(static_cast<void>(read(*open, content.size() - 1, 2)), Error);
}

TEST_F(OtherHost, ManyThreadsReadAtOnceInLittleMemory) {
  const std::string content = pattern(6'000'000);
  const fs::path file = folder_.write("disk", content);
  host_ = ssh_host("me@far", [this](const std::string &) { return std::optional(servers_.start()); },
                   {.memory = std::size_t{600} << 10U, .most_ahead = std::size_t{4} << 20U});
  const auto open = host_->open(far(file));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t at = t * 100'000; at + 300'000 <= content.size(); at += 600'000) {
        if (read(*open, at, 300'000) != content.substr(at, 300'000)) ++wrong;
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(servers_.count(), 1U);
}

TEST_F(OtherHost, WhatIsNoFileIsNotOpened) {
  try {
    static_cast<void>(host_->open(far(folder_.path())));
    FAIL() << "a folder was opened";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsafe);
  }
  try {
    static_cast<void>(host_->open(far(folder_ / "none")));
    FAIL() << "nothing was opened";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::missing);
  }
}

TEST_F(OtherHost, AfterALostConnectionReadingGoesOn) {
  const std::string content = pattern(2'000'000);
  const fs::path file = folder_.write("disk", content);
  const auto open = host_->open(far(file));
  EXPECT_EQ(read(*open, 0, 1000), content.substr(0, 1000));
  for (int i = 1; i <= 3; ++i) {
    servers_.kill_last();
    const std::size_t at = static_cast<std::size_t>(i) * 500'000;
    EXPECT_EQ(read(*open, at, 400'000), content.substr(at, 400'000));
  }
  servers_.kill_last();
  EXPECT_TRUE(host_->status(far(file), file::Links::follow));
  EXPECT_TRUE(host_->list(far(folder_.path())));
}

TEST_F(OtherHost, AnotherFileIsNotGoneOnWith) {
  const fs::path file = folder_.write("disk", pattern(2'000'000));
  const auto open = host_->open(far(file));
  EXPECT_EQ(read(*open, 0, 10).size(), 10U);
  folder_.write("disk", pattern(1'999'999));
  servers_.kill_last();
  try {
    static_cast<void>(read(*open, 1'000'000, 10));
    FAIL() << "another file was read";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::malformed);
    EXPECT_EQ(error.detail().where.file, far(file));
  }
}

TEST_F(OtherHost, AHostThatStaysAwayIsGivenUp) {
  const fs::path file = folder_.write("disk", pattern(2'000'000));
  int connections = 0;
  host_ = ssh_host("me@far",
                   [&](const std::string &) {
                     if (++connections == 1) return std::optional(servers_.start());
                     throw Error(ErrorKind::unreachable, {.message = "it is switched off"});
                   },
                   {.pause = std::chrono::milliseconds(0)});
  const auto open = host_->open(far(file));
  servers_.kill_last();
  EXPECT_THROW(static_cast<void>(read(*open, 1'000'000, 10)), Error);
}

TEST_F(OtherHost, AWorkerSeesWhatItMayRead) {
  const fs::path inside = folder_.write("vms/web/disk", "inside"), outside = folder_.write("secret", "outside");
  std::unique_ptr<RequestGuard> guard;
  host_ = ssh_host("me@far", [&](const std::string &) {
    Streams out = servers_.start();
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) ADD_FAILURE();
    guard = std::make_unique<RequestGuard>(file::Descriptor(ends[0]), std::move(out.to), "me@far",
                                           Readable{.read = {far(folder_ / "vms")}, .list = {}});
    out.to.reset(ends[1]);
    return std::optional(std::move(out));
  });
  const auto open = host_->open(far(inside));
  EXPECT_EQ(read(*open, 0, 6), "inside");
  EXPECT_TRUE(host_->list(far(folder_ / "vms")));
  // As where there is no such file; and the connection stays.
  EXPECT_THROW(static_cast<void>(host_->open(far(outside))), Error);
  EXPECT_FALSE(host_->list(far(folder_.path())));
  EXPECT_EQ(servers_.count(), 1U);
  EXPECT_EQ(read(*open, 0, 6), "inside");
}

TEST_F(OtherHost, AHostThatNobodyNamedHasNoFiles) {
  host_ = ssh_host("me@far", [](const std::string &) { return std::optional<Streams>(); });
  EXPECT_FALSE(host_->status(far(folder_.path()), file::Links::follow));
  EXPECT_FALSE(host_->list(far(folder_.path())));
  EXPECT_FALSE(host_->real(far(folder_.path())));
}

}  // namespace
}  // namespace ferry::hosts
