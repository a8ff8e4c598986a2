// SPDX-License-Identifier: Apache-2.0
// qcow2 round trip: the input describes a tree of images and how to write it; what comes out must be a sound qcow2 in
// which every state reads as the description says.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <libdeflate.h>
#include <unistd.h>

#include "converters/copy/engine.hpp"
#include "converters/qcow2/writer.hpp"
#include "tests/qcow2/checker.hpp"

#include "support/error.hpp"

namespace {

using namespace ferry;
using Bytes = std::vector<std::uint8_t>;

class Input {
 public:
  Input(const std::uint8_t *data, std::size_t size) : data_(data), size_(size) {}
  [[nodiscard]] bool empty() const { return size_ == 0; }
  std::uint64_t next(std::size_t bytes) {
    std::uint64_t value = 0;
    for (; bytes > 0 && size_ > 0; --bytes, --size_) value = value << 8U | *data_++;
    return value;
  }

 private:
  const std::uint8_t *data_;
  std::size_t size_;
};

class Memory final : public image::SourceFile {
 public:
  void read(std::uint64_t offset, void *into, std::size_t length) const override {
    if (offset > bytes.size() || length > bytes.size() - offset) {
      throw Error(ErrorKind::malformed, {.message = "short read"});
    }
    std::memcpy(into, bytes.data() + offset, length);
  }
  [[nodiscard]] Descriptor descriptor() const override { return {}; }
  [[nodiscard]] std::uint64_t size() const override { return bytes.size(); }
  [[nodiscard]] const std::filesystem::path &path() const override { return path_; }
  Bytes bytes;

 private:
  std::filesystem::path path_ = "memory";
};

class Layer final : public image::Image {
 public:
  Layer(std::uint64_t size, const std::shared_ptr<Memory> &file) : files_{file} { info_.virtual_size = size; }
  [[nodiscard]] const image::ImageInfo &info() const override { return info_; }
  [[nodiscard]] const std::vector<std::shared_ptr<const image::SourceFile>> &files() const override { return files_; }
  void map(std::uint64_t begin, std::uint64_t end, std::vector<image::Extent> &out) const override {
    end = std::min(end, info_.virtual_size);
    for (const image::Extent &extent : extents) {
      image::Extent piece = extent;
      const std::uint64_t from = std::max(begin, extent.guest_offset);
      const std::uint64_t to = std::min(end, extent.guest_offset + extent.length);
      if (from >= to) continue;
      if (extent.kind != image::ExtentKind::deflated) {
        piece.guest_offset = from;
        piece.length = to - from;
        if (extent.kind == image::ExtentKind::plain) piece.file_offset += from - extent.guest_offset;
      }
      out.push_back(piece);
    }
  }
  std::vector<image::Extent> extents;

 private:
  image::ImageInfo info_;
  std::vector<std::shared_ptr<const image::SourceFile>> files_;
};

Bytes fill(std::uint64_t length, std::uint64_t seed) {
  Bytes out(length);
  std::uint64_t state = seed * 0x9e3779b97f4a7c15U + 1;
  for (std::uint8_t &byte : out) {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    // Seeds decide how dense the bytes are: none, few different ones, all.
    byte = static_cast<std::uint8_t>(seed % 4 == 0 ? 0 : seed % 4 == 1 ? seed : seed % 4 == 2 ? state & 3U : state);
  }
  return out;
}

std::uint64_t add_deflated(Memory &file, const Bytes &bytes) {
  Bytes stream(bytes.size() + 128);
  libdeflate_compressor *compressor = libdeflate_alloc_compressor(1);
  stream.resize(libdeflate_zlib_compress(compressor, bytes.data(), bytes.size(), stream.data(), stream.size()));
  libdeflate_free_compressor(compressor);
  file.bytes.insert(file.bytes.end(), stream.begin(), stream.end());
  return stream.size();
}

struct State {
  std::vector<std::shared_ptr<const image::Image>> images;
  Bytes content;
};

// A layer over `below`, from the input.
State layer_over(const State &below, std::uint64_t size, const std::shared_ptr<Memory> &file, Input &input) {
  State out = below;
  out.content.resize(size);
  auto layer = std::make_shared<Layer>(size, file);
  for (std::uint64_t at = 0; at < size;) {
    const std::uint64_t kind = input.empty() ? 3 : input.next(1) % 4;
    const std::uint64_t length = std::min(size - at, input.empty() ? size : 1 + input.next(2) * (kind == 3 ? 16 : 3));
    image::Extent extent{.guest_offset = at, .length = length};
    Bytes bytes(length);
    if (kind == 0 || kind == 1) {
      bytes = fill(length, input.next(1));
      extent.file_offset = file->bytes.size();
      extent.kind = kind == 0 ? image::ExtentKind::plain : image::ExtentKind::deflated;
      if (kind == 0) file->bytes.insert(file->bytes.end(), bytes.begin(), bytes.end());
      if (kind == 1) extent.stored_length = static_cast<std::uint32_t>(add_deflated(*file, bytes));
    } else {
      extent.kind = kind == 2 ? image::ExtentKind::zero : image::ExtentKind::parent;
    }
    if (kind != 3) std::copy(bytes.begin(), bytes.end(), out.content.begin() + static_cast<std::ptrdiff_t>(at));
    layer->extents.push_back(extent);
    at += length;
  }
  out.images.push_back(layer);
  return out;
}

void require(bool condition, const char *what) {
  if (condition) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t length) {
  Input input(data, length);
  qcow2::Layout layout{.cluster_size = 4096U << (input.next(1) % 5),
                       .compression = static_cast<qcow2::Compression>(input.next(1) % 3)};
  const unsigned threads = 1 + static_cast<unsigned>(input.next(1) % 3);
  // One disk in 16 may be of up to 4 MiB, more than one L2 table at the smallest cluster size; the others are small,
  // because making and comparing the content takes most of a run's time.
  const std::uint64_t scale = input.next(1);
  const std::uint64_t size = 1 + input.next(3) % (std::uint64_t{4096} << (scale % 16 == 15 ? 10 : scale % 6));
  auto file = std::make_shared<Memory>();
  std::vector<State> states = {layer_over({}, size, file, input)};
  for (std::uint64_t i = input.next(1) % 5; i > 0; --i) {
    const State &below = states[input.next(1) % states.size()];
    states.push_back(layer_over(below, size, file, input));
  }

  std::vector<image::Chain> chains;
  std::vector<const image::Chain *> pointers;
  chains.reserve(states.size());
  for (const State &state : states) pointers.push_back(&chains.emplace_back(state.images));
  layout.virtual_size = size;
  for (std::size_t i = 0; i + 1 < states.size(); ++i) {
    layout.snapshots.push_back({.name = std::to_string(i), .created = 1, .virtual_size = size});
  }
  static const std::filesystem::path kPath =
      (std::filesystem::exists("/dev/shm") ? std::filesystem::path("/dev/shm")
                                           : std::filesystem::temp_directory_path()) /
      ("ferry-fuzz-" + std::to_string(getpid()));
  copy::TargetFile target(kPath);
  qcow2::Writer writer(target, layout);
  (void)copy::copy(copy::Sources(pointers), writer, {.threads = threads});
  const std::uint64_t end = writer.finish();

  Bytes written(end);
  require(pread(target.fd(), written.data(), end, 0) == static_cast<ssize_t>(end), "the file is shorter than said");
  const test::Qcow2Checker checker(std::move(written));  // throws when it is not sound
  require(checker.states().size() == states.size(), "the number of states");
  for (std::size_t i = 0; i < states.size(); ++i) {
    Bytes expected = states[i].content;
    expected.resize((size + 511) / 512 * 512);
    require(checker.content(checker.states()[i]) == expected, "the content of a state");
  }
  return 0;
}
