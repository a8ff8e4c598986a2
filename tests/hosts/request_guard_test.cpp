// SPDX-License-Identifier: Apache-2.0
// What a worker may ask of another host, and what not.
#include "hosts/request_guard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hosts/sftp_packets.hpp"
#include "hosts/ssh_process.hpp"
#include "hosts/url.hpp"
#include "support/error.hpp"

namespace ferry::hosts {
namespace {

const Readable kReadable{.read = {"/ssh:me@far/vms/web"}, .list = {"/ssh:me@far/vms"}};

std::string problem(sftp::PacketWriter packet) {
  const std::vector<std::uint8_t> bytes = packet.done();
  return problem_of_request(std::span(bytes).subspan(4), "me@far", kReadable);
}

sftp::PacketWriter about(sftp::Type type, const std::string &name) {
  sftp::PacketWriter out(type, 1);
  out.string(name);
  return out;
}

TEST(RequestGuard, ReadingTheSourceIsAllowed) {
  EXPECT_EQ(problem(sftp::PacketWriter(sftp::Type::init, std::nullopt).number(3)), "");
  for (const char *file : {"/vms/web/x.vmdk", "/vms/web", "/vms/web/below/x", "/vms/./web/x"})
    EXPECT_EQ(problem(about(sftp::Type::open, file).number(1).number(0)), "") << file;
  EXPECT_EQ(problem(about(sftp::Type::opendir, "/vms/web")), "");
  EXPECT_EQ(problem(about(sftp::Type::opendir, "/vms/other")), "");
  EXPECT_EQ(problem(about(sftp::Type::stat, "/etc/passwd")), "");
  EXPECT_EQ(problem(about(sftp::Type::lstat, "/etc/passwd")), "");
  EXPECT_EQ(problem(about(sftp::Type::realpath, ".")), "");
  EXPECT_EQ(problem(about(sftp::Type::readdir, "handle")), "");
  EXPECT_EQ(problem(about(sftp::Type::close, "handle")), "");
  EXPECT_EQ(problem(about(sftp::Type::fstat, "handle")), "");
  EXPECT_EQ(problem(about(sftp::Type::read, "handle").long_number(0).number(100)), "");
  EXPECT_EQ(problem(about(sftp::Type::extended, "limits@openssh.com")), "");
}

TEST(RequestGuard, NothingElseIs) {
  for (const char *file : {"/etc/passwd", "/vms/web2/x", "/vms/web/../other/x", "web/x", "/", "", "/vms"})
    EXPECT_NE(problem(about(sftp::Type::open, file).number(1).number(0)), "") << file;
  for (const std::uint32_t flags : {0U, 2U, 3U, 9U, 17U, 0x80000001U})  // to write, to append, to make, to cut off
    EXPECT_NE(problem(about(sftp::Type::open, "/vms/web/x").number(flags).number(0)), "") << flags;
  EXPECT_NE(problem(about(sftp::Type::open, "/vms/web/x").number(1).number(4).number(0777)), "");
  EXPECT_NE(problem(about(sftp::Type::opendir, "/etc")), "");
  EXPECT_NE(problem(about(sftp::Type::extended, "posix-rename@openssh.com").string("/a").string("/b")), "");
  // write, setstat, fsetstat, remove, mkdir, rmdir, rename, readlink, symlink, and what has no meaning
  for (const int type : {6, 9, 10, 13, 14, 15, 18, 19, 20, 0, 21, 101, 255})
    EXPECT_NE(problem(about(static_cast<sftp::Type>(type), "/vms/web/x")), "") << type;
  const std::vector<std::uint8_t> bytes = about(sftp::Type::open, "/vms/web/x").number(1).number(0).done();
  for (std::size_t length = 0; length < bytes.size() - 4; ++length)
    EXPECT_NE(problem_of_request(std::span(bytes).subspan(4, length), "me@far", kReadable), "") << length;
  EXPECT_NE(problem(about(sftp::Type::stat, "/vms").string("more")), "");
}

TEST(Zeros, AreAskedOfWhatMayBeReadAlone) {
  const Readable readable{.read = {"/ssh:far/vms/web", "/ssh:far/vms/one.vmdk"}, .list = {"/ssh:far/vms"}};
  EXPECT_TRUE(may_read("/ssh:far/vms/web/disk.vmdk", readable));
  EXPECT_TRUE(may_read("/ssh:far/vms/one.vmdk", readable));
  for (const char *file : {"/ssh:far/vms/other.vmdk", "/ssh:far/vms/web/../other.vmdk", "/ssh:far/vms/website/x",
                           "/ssh:near/vms/web/disk.vmdk", "/vms/web/disk.vmdk", "/ssh:far/etc/passwd", ""}) {
    EXPECT_FALSE(may_read(file, readable)) << file;
  }
}

TEST(Urls, ArePathsOfTheProgram) {
  EXPECT_EQ(path_of_url("ssh://far/vms/web.vmx"), "/ssh:far/vms/web.vmx");
  EXPECT_EQ(path_of_url("ssh://me@far:2222/vms//x/../web.vmx"), "/ssh:me@far:2222/vms/web.vmx");
  EXPECT_EQ(path_of_url("ssh://[fe80::1%eth0]:22/x"), "/ssh:[fe80::1%eth0]:22/x");
  EXPECT_EQ(path_of_url("ssh://far/~/vms"), "/ssh:far/~/vms");
  EXPECT_EQ(path_of_url("ssh://far/../../etc"), "/ssh:far/etc");
  EXPECT_EQ(parts_of("me@[fe80::1]:22").host, "fe80::1");
  EXPECT_EQ(parts_of("me@far:22").port, "22");
  EXPECT_EQ(parts_of("me@far").user, "me");
  for (const char *wrong :
       {"ssh://", "ssh:///x", "ssh://far", "ssh://-oProxyCommand=x/y", "ssh://me@/x", "ssh://@far/x", "ssh://a b/x",
        "ssh://far:0/x", "ssh://far:99999/x", "ssh://far:/x", "ssh://f;ar/x", "ssh://-l@far/x"}) {
    try {
      static_cast<void>(path_of_url(wrong));
      FAIL() << wrong;
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage) << wrong;
    }
  }
  EXPECT_EQ(with_urls("in '/ssh:me@far:22/vms/x' and /ssh: and /ssh:far"),
            "in 'ssh://me@far:22/vms/x' and /ssh: and /ssh:far");
}

TEST(Ssh, IsStartedAsSftpStartsIt) {
  const std::vector<std::string> words = ssh_arguments("me@far:2222", "", "");
  EXPECT_EQ(std::vector<std::string>(words.end() - 6, words.end()),
            (std::vector<std::string>{"-s", "-lme", "-p2222", "--", "far", "sftp"}));
  EXPECT_EQ(ssh_arguments("far", "/run/x/1", "").size(), 11U);
  EXPECT_THAT(ssh_arguments("far", "", "^x"), testing::Contains("-oCiphers=^x"));
  // A second question for a password would stop the run.
  const std::vector<std::string> shell = ssh_arguments("far", "", "", Far::shell);
  EXPECT_EQ(std::vector<std::string>(shell.end() - 4, shell.end()),
            (std::vector<std::string>{"-oBatchMode=yes", "--", "far", "sh"}));
}

TEST(Ssh, WhatItSaysIsExplained) {
  EXPECT_NE(said_by_ssh("far", "subsystem request failed on channel 0\n").advice.find("no SFTP"), std::string::npos);
  EXPECT_NE(said_by_ssh("me@far", "x\nHost key verification failed.\r\n").advice.find("'ssh far'"), std::string::npos);
  EXPECT_EQ(said_by_ssh("far", "banner\nssh: Could not resolve hostname far: Name or service not known\n\n").found,
            "ssh: Could not resolve hostname far: Name or service not known");
  EXPECT_TRUE(said_by_ssh("far", "").found.empty());
}

}  // namespace
}  // namespace ferry::hosts
