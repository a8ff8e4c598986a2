// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as what a client says to the server of disks: it answers within the protocol or hangs up.
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "converters/serve/nbd_server.hpp"
#include "tests/fuzz/check_chain.hpp"
#include "tests/fuzz/work_folder.hpp"
#include "tests/kit/disk_images.hpp"

namespace {

using namespace ferry;
using namespace ferry::fuzz;

class SaidBefore final : public serve::Wire {
 public:
  explicit SaidBefore(std::span<const std::uint8_t> said) : said_(said) {}
  using Wire::write;
  bool read(void *into, std::size_t length) override {
    if (length > said_.size()) return false;
    if (length > 0) std::memcpy(into, said_.data(), length);
    said_ = said_.subspan(length);
    return true;
  }
  bool write(std::span<const std::string_view> parts) override {
    for (const std::string_view part : parts) {
      for (std::size_t i = 0; i < part.size(); i += 512) sum = sum + static_cast<unsigned char>(part[i]);  // is there
      answered_ += part.size();
    }
    constexpr std::size_t kMost = std::size_t{256} << 20U;  // bytes: a client that takes no more
    return answered_ < kMost;
  }
  void set_patience(std::optional<std::chrono::milliseconds> /*patience*/) override {}

  volatile unsigned sum = 0;

 private:
  std::span<const std::uint8_t> said_;
  std::size_t answered_ = 0;
};

std::vector<serve::Export> &exports() {
  static std::vector<serve::Export> made = [] {
    static WorkFolder folder;
    const test::Layer layer{.size = 5 * 4096 + 512,
                            .block_size = 4096,
                            .blocks = {test::Block::data, test::Block::absent, test::Block::data, test::Block::zero,
                                       test::Block::absent, test::Block::data},
                            .tag = 1,
                            .order = {}};
    const auto path = folder.put("disk.vdi", test::make_vdi(layer));
    auto chain = std::make_shared<const image::Chain>(image::open_chain(test::medium({path}), {}));
    return std::vector<serve::Export>{{"sda", chain}, {"sdb", chain}};
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  if (size == 0) return -1;
  serve::Account account;
  // One disk or two: by the first byte.
  const std::span<const serve::Export> all = exports();
  SaidBefore wire({data + 1, size - 1});
  serve::serve_client(wire, all.first(1 + data[0] % 2), account);
  demand(account.last_problem().empty());
  return 0;
}
