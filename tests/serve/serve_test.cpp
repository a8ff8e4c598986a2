// SPDX-License-Identifier: Apache-2.0
// What is served is what the chain holds: to libnbd, to QEMU, and to clients that say what makes no sense.
#include <atomic>
#include <gtest/gtest.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include "converters/disk.hpp"
#include "converters/serve/disk_view.hpp"
#include "converters/serve/nbd_protocol.hpp"
#include "converters/source_reader.hpp"
#include "converters/verify/nbd_client.hpp"
#include "tests/serve/served_disk.hpp"

namespace ferry::test {
namespace {

using namespace serve;

Bytes read_all(verify::NbdClient &client, std::uint32_t step, std::uint64_t *zeros = nullptr) {
  Bytes out(client.size(), 0xEE);
  for (std::uint64_t at = 0; at < out.size(); at += step) {
    const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(step, out.size() - at));
    client.read(at, length, [&](std::uint64_t offset, const std::uint8_t *data, std::uint64_t count) {
      if (data == nullptr) {
        std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(offset), count, std::uint8_t{0});
        if (zeros != nullptr) *zeros += count;
      } else {
        std::copy_n(data, count, out.begin() + static_cast<std::ptrdiff_t>(offset));
      }
    });
  }
  return out;
}

TEST(Serve, AChainReadsAsItIs) {
  const ServedChain disk;
  Clients clients({{"sda", disk.chain}});
  verify::NbdClient client(connected(clients));
  const Bytes expected = disk.content();
  ASSERT_EQ(client.size(), expected.size());
  for (const std::uint32_t step : {512U, 70000U, 1U << 20U}) {
    std::uint64_t zeros = 0;
    EXPECT_EQ(read_all(client, step, &zeros), expected) << step;
    EXPECT_GE(zeros, step == 512 ? 0U : 5 * ServedChain::kBlock);  // not sent
  }
  EXPECT_GE(clients.account().bytes(), expected.size());
  EXPECT_EQ(clients.count(), 1U);
}

TEST(Serve, CompressedGrainsAndHolesOfFiles) {
  const TempFolder folder;
  Layer layer{.size = 40 * 65536, .block_size = 65536, .blocks = {}, .tag = 3, .order = {}};
  for (std::size_t i = 0; i < 40; ++i) layer.blocks.push_back(i % 3 == 0 ? Block::data : Block::absent);
  const std::string line = "RW " + std::to_string(layer.size / 512) + " SPARSE \"d.vmdk\"\n";
  write_file(folder.path() / "d.vmdk",
             make_hosted_sparse(layer, {.descriptor = vmdk_descriptor("streamOptimized", line), .compressed = true}));
  const auto chain = std::make_shared<const image::Chain>(image::open_chain(medium({folder.path() / "d.vmdk"}), {}));
  // A raw disk in a file with a hole.
  const auto raw = folder.path() / "raw";
  write_file(raw, std::string(65536, 'x'));
  std::filesystem::resize_file(raw, 1U << 20U);
  Medium flat;
  flat.chain.push_back(image_file(raw, ImageFormat::raw));
  const auto sparse = std::make_shared<const image::Chain>(image::open_chain(flat, {}));
  Clients clients({{"a", chain}, {"b", sparse}});
  DiskView view(chain), holes(sparse);
  Bytes all(view.size());
  std::uint64_t at = 0;
  for (const Stretch &run : view.read(0, static_cast<std::uint32_t>(view.size()), all.data())) {
    if (run.zero) std::fill_n(all.begin() + static_cast<std::ptrdiff_t>(at), run.length, std::uint8_t{0});
    at += run.length;
  }
  EXPECT_EQ(all, expected_content({layer}));
  EXPECT_EQ(holes.runs(0, 1U << 20U, 9), (std::vector<Stretch>{{65536, false}, {(1U << 20U) - 65536, true}}));
  EXPECT_EQ(holes.runs(0, 1U << 20U, 1), (std::vector<Stretch>{{65536, false}}));
}

TEST(Serve, ADiskHasWholeSectors) {
  const TempFolder folder;
  write_file(folder.path() / "raw", std::string(700, 'x'));
  Medium flat;
  flat.chain.push_back(image_file(folder.path() / "raw", ImageFormat::raw));
  Clients clients({{"", std::make_shared<const image::Chain>(image::open_chain(flat, {}))}});
  verify::NbdClient client(connected(clients));
  Bytes expected(1024, 0);
  std::fill_n(expected.begin(), 700, 'x');
  EXPECT_EQ(read_all(client, 1024), expected);
}

// Accepts at a socket, as the program does.
class Door {
 public:
  Door(const std::filesystem::path &path, Clients &clients)
      : listening_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(listening_.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0 ||
        ::listen(listening_.get(), 8) != 0)
      throw std::runtime_error("no socket");
    thread_ = std::thread([this, &clients] {
      for (;;) {
        file::Descriptor one(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!one) return;
        (void)clients.take(std::move(one));
      }
    });
  }
  ~Door() {
    ::shutdown(listening_.get(), SHUT_RDWR);
    thread_.join();
  }
  Door(const Door &) = delete;
  Door &operator=(const Door &) = delete;

 private:
  file::Descriptor listening_;
  std::thread thread_;
};

TEST(Serve, QemuReadsTheSame) {
  if (!has_program("qemu-img")) GTEST_SKIP() << "qemu-img is not installed";
  const ServedChain disk;
  Clients clients({{"other", disk.chain}, {"sda", disk.chain}});
  const std::filesystem::path socket = disk.folder() / "nbd", raw = disk.folder() / "raw";
  const Door door(socket, clients);
  const std::string url = "nbd+unix:///sda?socket=" + socket.string();
  ASSERT_EQ(run({"qemu-img", "convert", "-f", "raw", "-O", "raw", url, raw.string()}), 0);
  EXPECT_EQ(read_file(raw), disk.content());
  EXPECT_NE(run({"qemu-img", "info", "nbd+unix:///none?socket=" + socket.string()}), 0);
  // It cannot be written to.
  EXPECT_NE(run({"qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", raw.string(), url}), 0);
  EXPECT_EQ(content(*disk.chain), disk.content());
}

// An overlay on a served disk has its zeros itself, so that nobody asks the server for them.
TEST(Serve, AnOverlayKnowsWhatIsZero) {
  if (!has_program("qemu-img")) GTEST_SKIP() << "qemu-img is not installed";
  const ServedChain disk;
  Clients clients({{"disk 1,a", disk.chain}});
  disk::Underlay under{.by = disk::Underlay::By::server,
                       .virtual_size = disk.chain->virtual_size(),
                       .file = {},
                       .socket = disk.folder() / "the nbd",
                       .name = "disk 1,a"};
  const Door door(under.socket, clients);
  disk::ConvertRequest request;
  request.medium = medium({disk.folder() / "base.vdi", disk.folder() / "top.vdi"});
  request.target = disk.folder() / "overlay.qcow2";
  request.mode = disk::Mode::overlay;
  request.underlay = under;
  (void)disk::convert(request, nullptr, {});
  EXPECT_EQ(run({"qemu-img", "check", "-q", request.target.string()}), 0);
  const auto raw = disk.folder() / "raw";
  ASSERT_EQ(run({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", request.target.string(), raw.string()}), 0);
  Bytes read = read_file(raw);
  read.resize(disk.content().size());
  EXPECT_EQ(read, disk.content());
  // Four blocks hold data, and the last one in part.
  EXPECT_LE(clients.account().bytes(), 5 * ServedChain::kBlock);
  EXPECT_GT(clients.account().bytes(), 3 * ServedChain::kBlock);
}

// Several pieces, by which a file is read: an overlay on a part of one.
TEST(Serve, AnOverlayOnAPartOfAFileNamesThePart) {
  if (!has_program("qemu-img")) GTEST_SKIP() << "qemu-img is not installed";
  const TempFolder folder;
  const Layer layer{.size = 3 * 65536,
                    .block_size = 65536,
                    .blocks = {Block::data, Block::absent, Block::data},
                    .tag = 5,
                    .order = {}};
  const std::string line = "RW 384 SPARSE \"d.vmdk\"\n";
  const Bytes image =
      make_hosted_sparse(layer, {.descriptor = vmdk_descriptor("streamOptimized", line), .compressed = true});
  Bytes package(4096, 'x');
  package.insert(package.end(), image.begin(), image.end());
  package.insert(package.end(), 1024, 'y');
  write_file(folder.path() / "a,\"b.ova", package);
  Medium member;
  member.chain.push_back(image_file(folder.path() / "a,\"b.ova"));
  member.chain.front().pieces = {{folder.path() / "a,\"b.ova", 4096, image.size()}};
  const auto reader = disk::read_here();
  const disk::Underlay under = disk::underlay_of(member, {}, *reader);
  EXPECT_EQ(under.by, disk::Underlay::By::part);
  EXPECT_EQ(under.format, "vmdk");
  disk::ConvertRequest request;
  request.medium = member;
  request.target = folder.path() / "overlay.qcow2";
  request.mode = disk::Mode::overlay;
  request.underlay = under;
  (void)disk::convert(request, nullptr, {});
  const auto raw = folder.path() / "raw";
  ASSERT_EQ(run({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", request.target.string(), raw.string()}), 0);
  EXPECT_EQ(read_file(raw), expected_content({layer}));
  // And a chain is not one that QEMU reads.
  const ServedChain chain;
  EXPECT_EQ(disk::underlay_of(medium({chain.folder() / "base.vdi", chain.folder() / "top.vdi"}), {}, *reader).by,
            disk::Underlay::By::server);
}

// What is sent and what comes back, byte by byte.
class Talk {
 public:
  explicit Talk(Clients &clients) : wire_(connected(clients)) { wire_.set_patience(std::chrono::seconds(20)); }

  void greet(std::uint32_t said = 3) {
    std::uint64_t magic = 0, option = 0;
    std::uint16_t theirs = 0;
    ASSERT_TRUE(wire_.read_number(magic) && wire_.read_number(option) && wire_.read_number(theirs));
    EXPECT_EQ(magic, nbd::kGreeting);
    EXPECT_EQ(theirs, 3);
    std::string out;
    append(out, said);
    ASSERT_TRUE(wire_.write(out));
  }
  void say(std::uint32_t option, const std::string &data, std::optional<std::uint32_t> length = {}) {
    std::string out;
    append(out, nbd::kOption);
    append(out, option);
    append(out, length.value_or(static_cast<std::uint32_t>(data.size())));
    (void)wire_.write(out + data);
  }
  // The type of the next reply; 0: the server hung up.
  std::uint32_t reply() {
    std::uint64_t magic = 0;
    std::uint32_t option = 0, type = 0, length = 0;
    if (!wire_.read_number(magic) || !wire_.read_number(option) || !wire_.read_number(type) ||
        !wire_.read_number(length))
      return 0;
    EXPECT_EQ(magic, nbd::kOptionReply);
    last.assign(length, '\0');
    EXPECT_TRUE(wire_.read(last.data(), length));
    return type;
  }
  static std::string go(const std::string &name, const std::vector<std::uint16_t> &wanted = {}) {
    std::string out;
    append(out, static_cast<std::uint32_t>(name.size()));
    out += name;
    append(out, static_cast<std::uint16_t>(wanted.size()));
    for (const std::uint16_t one : wanted) append(out, one);
    return out;
  }
  void ask(std::uint16_t command, std::uint64_t offset, std::uint32_t length, std::uint16_t how = 0,
           const std::string &data = {}) {
    std::string out;
    append(out, nbd::kRequest);
    append(out, how);
    append(out, command);
    append(out, std::uint64_t{77});
    append(out, offset);
    append(out, length);
    (void)wire_.write(out + data);
  }
  // The error of the next simple reply; nullopt: the server hung up.
  std::optional<std::uint32_t> simple(std::size_t data = 0) {
    std::uint32_t magic = 0, error = 0;
    std::uint64_t cookie = 0;
    if (!wire_.read_number(magic) || !wire_.read_number(error) || !wire_.read_number(cookie)) return std::nullopt;
    EXPECT_EQ(magic, nbd::kSimpleReply);
    EXPECT_EQ(cookie, 77U);
    last.assign(error == 0 ? data : 0, '\0');
    EXPECT_TRUE(wire_.read(last.data(), last.size()));
    return error;
  }
  std::string raw(std::size_t length) {
    std::string out(length, '?');
    EXPECT_TRUE(wire_.read(out.data(), out.size()));
    return out;
  }
  // The type of the next chunk.
  std::uint16_t chunk() {
    std::uint32_t magic = 0, length = 0;
    std::uint16_t type = 0;
    std::uint64_t cookie = 0;
    if (!wire_.read_number(magic) || !wire_.read_number(flags) || !wire_.read_number(type) ||
        !wire_.read_number(cookie) || !wire_.read_number(length))
      return 0xFFFF;
    EXPECT_EQ(magic, nbd::kStructuredReply);
    last.assign(length, '\0');
    EXPECT_TRUE(wire_.read(last.data(), length));
    return type;
  }

  std::string last;         // data of the last reply
  std::uint16_t flags = 0;  // of the last chunk

 private:
  SocketWire wire_;
};

constexpr std::uint32_t kUnsupported = 0x80000001, kInvalid = 0x80000003, kUnknown = 0x80000006;

TEST(Negotiation, OldClientsChooseByName) {
  const ServedChain disk;
  Clients clients({{"sda", disk.chain}});
  Talk talk(clients);
  talk.greet(0);
  talk.say(1, "sda");
  std::string expected;
  append(expected, DiskView::size_of(*disk.chain));
  append(expected, std::uint16_t{0x103});
  EXPECT_EQ(talk.raw(134), expected + std::string(124, '\0'));
  talk.ask(0, 0, 512);
  EXPECT_EQ(talk.simple(512), 0U);
}

TEST(Negotiation, AnswersWhatItKnowsAndRefusesTheRest) {
  const ServedChain disk;
  Clients clients({{"sda", disk.chain}, {"sdb", disk.chain}});
  Talk talk(clients);
  talk.greet();
  talk.say(3, "");
  EXPECT_EQ(talk.reply(), 2U);
  EXPECT_EQ(talk.last.substr(4), "sda");
  EXPECT_EQ(talk.reply(), 2U);
  EXPECT_EQ(talk.reply(), 1U);
  talk.say(3, "x");
  EXPECT_EQ(talk.reply(), kInvalid);
  talk.say(5, "");  // TLS
  EXPECT_EQ(talk.reply(), kUnsupported);
  talk.say(4711, "abc");
  EXPECT_EQ(talk.reply(), kUnsupported);
  talk.say(7, Talk::go("nothing"));
  EXPECT_EQ(talk.reply(), kUnknown);
  talk.say(7, Talk::go(""));  // there are two
  EXPECT_EQ(talk.reply(), kUnknown);
  talk.say(6, std::string("\xff\xff\xff\xff", 4));
  EXPECT_EQ(talk.reply(), kInvalid);
  std::string query;
  append(query, std::uint32_t{3});
  query += "sda";
  append(query, std::uint32_t{0});
  talk.say(9, query);  // before structured replies
  EXPECT_EQ(talk.reply(), kInvalid);
  talk.say(8, "");
  EXPECT_EQ(talk.reply(), 1U);
  talk.say(9, query);
  EXPECT_EQ(talk.reply(), 4U);
  EXPECT_EQ(talk.last.substr(4), "base:allocation");
  EXPECT_EQ(talk.reply(), 1U);
  talk.say(7, Talk::go("sdb", {3}));
  EXPECT_EQ(talk.reply(), 3U);
  EXPECT_EQ(talk.reply(), 3U);
  EXPECT_EQ(talk.last.size(), 14U);  // block sizes
  EXPECT_EQ(talk.reply(), 1U);
  talk.ask(7, 0, 512);
  EXPECT_EQ(talk.chunk(), 0x8001) << "no context was agreed on";
  talk.ask(0, 0, 512);
  EXPECT_EQ(talk.chunk(), 1);
  EXPECT_EQ(talk.last.size(), 520U);
}

TEST(Negotiation, HangsUpOnWhatMakesNoSense) {
  const ServedChain disk;
  Clients clients({{"sda", disk.chain}});
  {
    Talk talk(clients);
    talk.greet(0x80);
    EXPECT_EQ(talk.reply(), 0U);
  }
  {
    Talk talk(clients);
    talk.greet();
    talk.say(3, "", 0x7fffffff);
    EXPECT_EQ(talk.reply(), 0U);
  }
  {
    Talk talk(clients);
    talk.greet();
    talk.say(1, "other");
    EXPECT_EQ(talk.reply(), 0U);
  }
  Talk talk(clients);
  talk.greet();
  std::uint32_t answers = 0;
  for (; answers < 1000; ++answers) {
    talk.say(99, "");
    if (talk.reply() != kUnsupported) break;
  }
  EXPECT_EQ(answers, nbd::kMostOptions);
}

TEST(Transmission, RefusesAndGoesOn) {
  const ServedChain disk;
  Clients clients({{"sda", disk.chain}});
  Talk talk(clients);
  talk.greet();
  talk.say(7, Talk::go(""));
  EXPECT_EQ(talk.reply(), 3U);
  EXPECT_EQ(talk.reply(), 1U);
  const Bytes expected = disk.content();
  talk.ask(1, 0, 100000, 0, std::string(100000, 'w'));
  EXPECT_EQ(talk.simple(), 1U) << "writing";
  talk.ask(0, expected.size(), 1);
  EXPECT_EQ(talk.simple(), 22U) << "beyond the end";
  talk.ask(0, ~std::uint64_t{0}, 512);
  EXPECT_EQ(talk.simple(), 22U) << "an offset that wraps around";
  talk.ask(0, 0, 0);
  EXPECT_EQ(talk.simple(), 22U);
  talk.ask(0, 0, ~std::uint32_t{0});
  EXPECT_EQ(talk.simple(), 75U) << "too long";
  for (const int command : {3, 4, 5, 6, 7, 200}) {
    talk.ask(static_cast<std::uint16_t>(command), 0, 512);
    EXPECT_EQ(talk.simple(), 22U) << command;
  }
  talk.ask(0, 65000, 2000);
  EXPECT_EQ(talk.simple(2000), 0U);
  EXPECT_TRUE(std::equal(talk.last.begin(), talk.last.end(), expected.begin() + 65000,
                         [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }));
  talk.ask(1, 0, ~std::uint32_t{0});
  EXPECT_EQ(talk.simple(), std::nullopt) << "a write that would never end";
}

TEST(Transmission, SaysWhatIsWhere) {
  const ServedChain disk;
  Clients clients({{"sda", disk.chain}});
  Talk talk(clients);
  talk.greet();
  talk.say(8, "");
  EXPECT_EQ(talk.reply(), 1U);
  std::string query;
  append(query, std::uint32_t{0});
  append(query, std::uint32_t{1});
  append(query, std::uint32_t{15});
  query += "base:allocation";
  talk.say(10, query);
  EXPECT_EQ(talk.reply(), 4U);
  EXPECT_EQ(talk.reply(), 1U);
  talk.say(7, Talk::go("sda"));
  EXPECT_EQ(talk.reply(), 3U);
  EXPECT_EQ(talk.reply(), 1U);
  talk.ask(7, 0, static_cast<std::uint32_t>(disk.content().size()));
  EXPECT_EQ(talk.chunk(), 5);
  EXPECT_EQ(talk.last.size(), 4U + 8U * 7U);  // data, zeros, data, zeros, data, zeros, data
  talk.ask(7, 0, 1U << 19U, 8);
  EXPECT_EQ(talk.chunk(), 5);
  EXPECT_EQ(talk.last.size(), 4U + 8U) << "only one was asked for";
  talk.ask(0, 0, 3 * 65536, 4);
  EXPECT_EQ(talk.chunk(), 1) << "in one piece";
  EXPECT_EQ(talk.flags, 1);
  EXPECT_EQ(talk.last.size(), 8U + 3U * 65536U);
}

// Damage that shows only when it is read is an answer, and the next read is as good as ever.
TEST(Transmission, AReadThatFailsIsSaidAndKept) {
  const TempFolder folder;
  Layer layer{.size = 2 * 65536, .block_size = 65536, .blocks = {Block::data, Block::data}, .tag = 3, .order = {}};
  const std::string line = "RW 256 SPARSE \"d.vmdk\"\n";
  Bytes image = make_hosted_sparse(layer, {.descriptor = vmdk_descriptor("streamOptimized", line), .compressed = true});
  const auto path = folder.path() / "d.vmdk";
  write_file(path, image);
  const auto chain = std::make_shared<const image::Chain>(image::open_chain(medium({path}), {}));
  std::vector<image::Chain::VisibleExtent> map;
  chain->map(0, layer.size, map);
  const std::uint64_t at = map.at(1).extent.file_offset;
  for (std::uint64_t i = 0; i < 64; ++i) image.at(at + i) ^= 0xFF;
  write_file(path, image);
  Clients clients({{"sda", chain}});
  Talk talk(clients);
  talk.greet();
  talk.say(7, Talk::go("sda"));
  EXPECT_EQ(talk.reply(), 3U);
  EXPECT_EQ(talk.reply(), 1U);
  talk.ask(0, 65536, 512);
  EXPECT_EQ(talk.simple(), 5U);
  EXPECT_NE(clients.account().last_problem().find("d.vmdk: a compressed grain cannot be inflated"), std::string::npos);
  talk.ask(0, 0, 512);
  EXPECT_EQ(talk.simple(512), 0U);
}

TEST(Clients, AreManyAndNotTooMany) {
  const ServedChain disk;
  auto clients = std::make_unique<Clients>(std::vector<Export>{{"sda", disk.chain}});
  std::vector<file::Descriptor> ends;
  for (std::size_t i = 0; i < Clients::kMost; ++i) ends.push_back(connected(*clients));
  EXPECT_EQ(clients->count(), Clients::kMost);
  EXPECT_THROW((void)connected(*clients), std::runtime_error);
  clients.reset();  // hangs up on all of them
  char rest[64];
  while (::read(ends.front().get(), rest, sizeof rest) > 0) {
  }
}

}  // namespace
}  // namespace ferry::test
