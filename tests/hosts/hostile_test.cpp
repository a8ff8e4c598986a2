// SPDX-License-Identifier: Apache-2.0
// A server that says what none should: every answer ends in an error that names the host, in bounded memory and time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <sys/stat.h>

#include "tests/hosts/sftp_server.hpp"

namespace ferry::hosts {
namespace {

using Bytes = std::vector<std::uint8_t>;
using test::id_of;
using test::type_of;

constexpr std::uint32_t kFile = S_IFREG | 0644, kFolder = S_IFDIR | 0755;

class Hostile : public ::testing::Test {
 protected:
  // A host whose server answers by `say` once it has greeted.
  std::shared_ptr<on_host::Host> host(test::FakeServer::Say say, bool greets = true) {
    return ssh_host("evil",
                    [this, say = std::move(say), greets](const std::string &) {
                      Streams streams;
                      servers_.push_back(std::make_unique<test::FakeServer>(streams, [say, greets](auto question) {
                        return greets && type_of(question) == sftp::Type::init ? test::version_packet() : say(question);
                      }));
                      return std::optional(std::move(streams));
                    },
                    {.patience = {.greeting = std::chrono::milliseconds(200), .answer = std::chrono::milliseconds(200)},
                     .tries = 1,
                     .pause = std::chrono::milliseconds(0)});
  }
  // Why it is given up.
  template <class Work>
  std::string failure(const Work &work) {
    try {
      work();
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::unreachable) << error.what();
      EXPECT_THAT(error.detail().message, testing::HasSubstr("'evil'"));
      return error.detail().found;
    }
    return "nothing";
  }
  std::string failure_of_status(const std::shared_ptr<on_host::Host> &host) {
    return failure([&] { static_cast<void>(host->status("/ssh:evil/x", file::Links::follow)); });
  }

  std::vector<std::unique_ptr<test::FakeServer>> servers_;
};

Bytes with_length(std::uint32_t length) {
  return {static_cast<std::uint8_t>(length >> 24U),
          static_cast<std::uint8_t>(length >> 16U),
          static_cast<std::uint8_t>(length >> 8U),
          static_cast<std::uint8_t>(length),
          1,
          2,
          3,
          4,
          5};
}

TEST_F(Hostile, AShellThatPrintsTextIsTold) {
  const std::string text = "Welcome to this machine\n";
  EXPECT_THAT(failure_of_status(host([&](auto) { return Bytes(text.begin(), text.end()); }, false)),
              testing::HasSubstr("shell prints text (it begins with \"Welc\")"));
}

TEST_F(Hostile, LengthsAreBounded) {
  for (const std::uint32_t length : {0U, 262209U, 0x7FFFFFFFU, 0xFFFFFFFFU})
    EXPECT_THAT(failure_of_status(host([&](auto) { return with_length(length); })), testing::HasSubstr("a packet of"));
}

TEST_F(Hostile, AnOldServerIsRefused) {
  EXPECT_THAT(failure_of_status(host([](auto) { return Bytes{0, 0, 0, 5, 2, 0, 0, 0, 2}; }, false)),
              testing::HasSubstr("version 2"));
  EXPECT_THAT(failure_of_status(host([](auto) { return Bytes{0, 0, 0, 5, 101, 0, 0, 0, 2}; }, false)),
              testing::HasSubstr("does not begin"));
}

TEST_F(Hostile, OneThatSaysNothingIsGivenUp) {
  EXPECT_THAT(failure_of_status(host([](auto) { return Bytes(); }, false)), testing::HasSubstr("closed"));
  // Half a packet, and then silence.
  EXPECT_THAT(failure_of_status(host([](auto) { return Bytes{0, 0, 0, 9, 101}; })), testing::HasSubstr("says nothing"));
}

TEST_F(Hostile, AnswersToNobodyEndIt) {
  EXPECT_THAT(failure_of_status(host([](auto question) { return test::status_packet(id_of(question) + 77, 2); })),
              testing::HasSubstr("nobody asked"));
}

TEST_F(Hostile, StringsEndInTheirPacket) {
  EXPECT_THAT(failure_of_status(host([](auto question) -> Bytes {
                if (type_of(question) == sftp::Type::stat) return test::attributes_packet(id_of(question), 1, kFile);
                sftp::PacketWriter packet(sftp::Type::name, id_of(question));
                return packet.number(1).number(0xFFFFFF00U).done();
              })),
              testing::HasSubstr("a string of"));
  EXPECT_THAT(failure_of_status(host([](auto question) -> Bytes {
                if (type_of(question) == sftp::Type::stat) return test::attributes_packet(id_of(question), 1, kFile);
                sftp::PacketWriter packet(sftp::Type::name, id_of(question));
                return packet.number(0xFFFFFFFFU).done();
              })),
              testing::HasSubstr("names"));
  EXPECT_THAT(failure_of_status(host([](auto question) -> Bytes {
                sftp::PacketWriter packet(sftp::Type::attributes, id_of(question));
                return type_of(question) == sftp::Type::stat ? packet.number(0x80000000U).number(1U << 30U).done()
                                                             : test::names_packet(id_of(question), {"/x"});
              })),
              testing::HasSubstr("additional attributes"));
}

TEST_F(Hostile, AResolvedPathIsAbsolute) {
  for (const std::string name : {"x", "", "../../etc"}) {
    EXPECT_THAT(failure_of_status(host([&](auto question) {
                  return type_of(question) == sftp::Type::stat ? test::attributes_packet(id_of(question), 1, kFile)
                                                               : test::names_packet(id_of(question), {name});
                })),
                testing::HasSubstr("resolved path"));
  }
}

// A folder's server; `names` is what each READDIR gives.
Bytes folder_answer(std::span<const std::uint8_t> question, const std::vector<std::string> &names) {
  const std::uint32_t id = id_of(question);
  switch (type_of(question)) {
    case sftp::Type::opendir: {
      sftp::PacketWriter packet(sftp::Type::handle, id);
      return packet.string("h").done();
    }
    case sftp::Type::readdir: return test::names_packet(id, names);
    case sftp::Type::stat: return test::attributes_packet(id, 0, kFolder);
    case sftp::Type::realpath: return test::names_packet(id, {"/x"});
    default: return test::status_packet(id, 0);
  }
}

TEST_F(Hostile, AFolderWithoutAnEndIsRefused) {
  const auto endless =
      host([names = std::vector<std::string>(4000, "again")](auto question) { return folder_answer(question, names); });
  try {
    static_cast<void>(endless->list("/ssh:evil/x"));
    FAIL() << "it ended";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::malformed);
    EXPECT_THAT(error.detail().message, testing::HasSubstr("more files"));
  }
  const auto empty = host([](auto question) { return folder_answer(question, {}); });
  EXPECT_THAT(failure([&] { static_cast<void>(empty->list("/ssh:evil/x")); }), testing::HasSubstr("nothing in it"));
}

TEST_F(Hostile, NamesThatLeadElsewhereAreNoEntries) {
  bool said = false;
  const auto climbing = host([&](auto question) {
    if (type_of(question) == sftp::Type::readdir && std::exchange(said, true))
      return test::status_packet(id_of(question), 1);
    return folder_answer(question, {".", "..", "", "a/b", "/etc/passwd", "../x", "good"});
  });
  const auto entries = climbing->list("/ssh:evil/x");
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 1U);
  EXPECT_EQ(entries->front().path, "/ssh:evil/x/good");
}

// A file of 100,000 bytes; `read` answers READ.
Bytes file_answer(std::span<const std::uint8_t> question, const test::FakeServer::Say &read) {
  const std::uint32_t id = id_of(question);
  switch (type_of(question)) {
    case sftp::Type::read: return read(question);
    case sftp::Type::open: {
      sftp::PacketWriter packet(sftp::Type::handle, id);
      return packet.string("h").done();
    }
    case sftp::Type::stat:
    case sftp::Type::fstat: return test::attributes_packet(id, 100'000, kFile);
    case sftp::Type::realpath: return test::names_packet(id, {"/x"});
    default: return test::status_packet(id, 0);
  }
}

Bytes data_packet(std::uint32_t id, std::size_t length) {
  sftp::PacketWriter packet(sftp::Type::data, id);
  return packet.string(std::string(length, 'x')).done();
}

TEST_F(Hostile, ReadsGiveWhatWasAskedFor) {
  const auto read_from = [](const std::shared_ptr<on_host::Host> &far) {
    const auto file = far->open("/ssh:evil/x");
    std::string bytes(100'000, '\0');
    file->read(0, bytes.data(), bytes.size());
    return bytes;
  };
  // Less than was asked for is allowed, each time.
  EXPECT_EQ(read_from(host([](auto question) {
              return file_answer(question, [](auto one) {
                sftp::PacketReader asked(one.subspan(5));
                static_cast<void>(asked.text(10));
                static_cast<void>(asked.long_number());
                return data_packet(id_of(one), std::min<std::size_t>(asked.number(), 999));
              });
            })),
            std::string(100'000, 'x'));
  const auto too_much = host(
      [](auto question) { return file_answer(question, [](auto one) { return data_packet(id_of(one), 40'000); }); });
  EXPECT_THAT(failure([&] { (void)read_from(too_much); }), testing::HasSubstr("a string of"));
  const auto nothing =
      host([](auto question) { return file_answer(question, [](auto one) { return data_packet(id_of(one), 0); }); });
  EXPECT_THAT(failure([&] { (void)read_from(nothing); }), testing::HasSubstr("nothing in it"));
  const auto refuses = host(
      [](auto question) { return file_answer(question, [](auto one) { return test::status_packet(id_of(one), 4); }); });
  EXPECT_THROW((void)read_from(refuses), Error);
  const auto shrinks = host(
      [](auto question) { return file_answer(question, [](auto one) { return test::status_packet(id_of(one), 1); }); });
  EXPECT_THROW((void)read_from(shrinks), Error);
}

}  // namespace
}  // namespace ferry::hosts
