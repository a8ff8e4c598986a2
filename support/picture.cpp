// SPDX-License-Identifier: Apache-2.0
// PNG: W3C's Portable Network Graphics, third edition. Portable pixmaps: ppm(5).
#include "support/picture.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <zlib.h>

#include "support/error.hpp"

namespace ferry {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kMostPixels = 16384;  // in each direction
constexpr std::array<std::uint8_t, 8> kPngSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
constexpr std::uint8_t kGrey = 0, kRgb = 2, kRgba = 6;  // PNG's colour types

[[noreturn]] void bad_picture(std::string found) {
  throw Error(ErrorKind::malformed, {.message = "the picture cannot be read", .found = std::move(found)});
}

Picture empty_picture(std::size_t width, std::size_t height) {
  if (width == 0 || height == 0 || width > kMostPixels || height > kMostPixels)
    bad_picture(std::to_string(width) + " x " + std::to_string(height) + " pixels");
  return {.width = width, .height = height, .pixels = std::vector<Colour>(width * height)};
}

// ---- portable pixmaps ----

class Header {
 public:
  explicit Header(Bytes bytes) : bytes_(bytes) {}
  // The next number, behind blanks and comments.
  std::size_t number() {
    skip();
    std::size_t out = 0, digits = 0;
    for (; at_ < bytes_.size() && std::isdigit(bytes_[at_]) != 0 && digits < 9; ++at_, ++digits)
      out = out * 10 + (bytes_[at_] - std::size_t{'0'});
    if (digits == 0) bad_picture("a pixmap without a number in its header");
    return out;
  }
  // What follows the one blank behind the header.
  [[nodiscard]] Bytes rest() const { return at_ < bytes_.size() ? bytes_.subspan(at_ + 1) : Bytes(); }

 private:
  void skip() {
    for (; at_ < bytes_.size(); ++at_) {
      if (bytes_[at_] == '#') {
        while (at_ < bytes_.size() && bytes_[at_] != '\n') ++at_;
      } else if (std::isspace(bytes_[at_]) == 0) {
        return;
      }
    }
  }
  Bytes bytes_;
  std::size_t at_ = 2;  // behind "P6"
};

Picture read_pixmap(Bytes bytes) {
  Header header(bytes);
  const std::size_t width = header.number(), height = header.number(), most = header.number();
  Picture out = empty_picture(width, height);
  if (most != 255) bad_picture("a pixmap of " + std::to_string(most) + " values a channel");
  const Bytes pixels = header.rest();
  if (pixels.size() < out.pixels.size() * 3) bad_picture("a pixmap that is cut off");
  for (std::size_t i = 0; i < out.pixels.size(); ++i)
    out.pixels[i] = {pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]};
  return out;
}

// ---- PNG ----

std::uint32_t number_at(Bytes bytes, std::size_t at) {
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < 4; ++i) out = out << 8U | bytes[at + i];
  return out;
}

struct PngParts {
  std::size_t width = 0, height = 0, channels = 0;
  std::vector<std::uint8_t> data;  // compressed
};

void read_header_chunk(Bytes chunk, PngParts &out) {
  if (chunk.size() != 13) bad_picture("a PNG header of " + std::to_string(chunk.size()) + " bytes");
  out.width = number_at(chunk, 0);
  out.height = number_at(chunk, 4);
  const std::uint8_t depth = chunk[8], type = chunk[9], interlace = chunk[12];
  if (depth != 8 || interlace != 0) bad_picture("a PNG of another depth than 8 bits, or interlaced");
  out.channels = type == kGrey ? 1 : type == kRgb ? 3 : type == kRgba ? 4 : 0;
  if (out.channels == 0) bad_picture("a PNG of colour type " + std::to_string(type));
}

PngParts read_chunks(Bytes bytes) {
  PngParts out;
  for (std::size_t at = kPngSignature.size(); bytes.size() - at >= 12;) {
    const std::size_t length = number_at(bytes, at);
    if (length > bytes.size() - at - 12) break;
    const std::string_view type(reinterpret_cast<const char *>(&bytes[at + 4]), 4);
    const Bytes chunk = bytes.subspan(at + 8, length);
    if (type == "IHDR") read_header_chunk(chunk, out);
    if (type == "IDAT") out.data.insert(out.data.end(), chunk.begin(), chunk.end());
    if (type == "IEND") return out;
    at += length + 12;
  }
  bad_picture("a PNG that is cut off");
}

// Of the specification's filter 4: whichever of left, above and above left is nearest to their sum.
std::uint8_t paeth(int left, int above, int corner) {
  const int estimate = left + above - corner;
  const int to_left = std::abs(estimate - left), to_above = std::abs(estimate - above),
            to_corner = std::abs(estimate - corner);
  if (to_left <= to_above && to_left <= to_corner) return static_cast<std::uint8_t>(left);
  return static_cast<std::uint8_t>(to_above <= to_corner ? above : corner);
}

// `line` without its filter's byte; `above` is the line before it, of the same length.
void undo_filter(std::uint8_t filter, std::span<std::uint8_t> line, Bytes above, std::size_t channels) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    const std::uint8_t left = i < channels ? 0 : line[i - channels], corner = i < channels ? 0 : above[i - channels];
    unsigned add = 0;
    switch (filter) {
      case 0: return;
      case 1: add = left; break;
      case 2: add = above[i]; break;
      case 3: add = (unsigned{left} + above[i]) / 2; break;
      case 4: add = paeth(left, above[i], corner); break;
      default: bad_picture("a PNG line with filter " + std::to_string(filter));
    }
    line[i] = static_cast<std::uint8_t>(line[i] + add);
  }
}

Picture read_png(Bytes bytes) {
  const PngParts parts = read_chunks(bytes);
  Picture out = empty_picture(parts.width, parts.height);
  const std::size_t stride = parts.width * parts.channels;
  std::vector<std::uint8_t> plain(parts.height * (stride + 1));
  auto size = static_cast<uLongf>(plain.size());
  if (::uncompress(plain.data(), &size, parts.data.data(), static_cast<uLong>(parts.data.size())) != Z_OK ||
      size != plain.size())
    bad_picture("a PNG whose pixels do not inflate to its size");
  std::vector<std::uint8_t> first(stride);  // above the first line there is nothing
  Bytes above = first;
  for (std::size_t y = 0; y < parts.height; ++y) {
    const std::span<std::uint8_t> line(&plain[y * (stride + 1) + 1], stride);
    undo_filter(plain[y * (stride + 1)], line, above, parts.channels);
    for (std::size_t x = 0; x < parts.width; ++x) {
      const std::uint8_t *pixel = &line[x * parts.channels];
      out.pixels[y * parts.width + x] =
          parts.channels == 1 ? Colour{pixel[0], pixel[0], pixel[0]} : Colour{pixel[0], pixel[1], pixel[2]};
    }
    above = line;
  }
  return out;
}

void append_number(std::vector<std::uint8_t> &out, std::uint32_t value) {
  for (unsigned shift = 32; shift > 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(value >> (shift - 8)));
}

void append_chunk(std::vector<std::uint8_t> &out, std::string_view type, Bytes content) {
  append_number(out, static_cast<std::uint32_t>(content.size()));
  const std::size_t start = out.size();
  out.insert(out.end(), type.begin(), type.end());
  out.insert(out.end(), content.begin(), content.end());
  append_number(out, static_cast<std::uint32_t>(::crc32(0, &out[start], static_cast<uInt>(out.size() - start))));
}

}  // namespace

Picture read_picture(Bytes bytes) {
  if (bytes.size() > 2 && bytes[0] == 'P' && bytes[1] == '6') return read_pixmap(bytes);
  if (bytes.size() > kPngSignature.size() && std::equal(kPngSignature.begin(), kPngSignature.end(), bytes.begin()))
    return read_png(bytes);
  bad_picture("neither a portable pixmap nor a PNG");
}

std::vector<std::uint8_t> as_png(const Picture &picture) {
  std::vector<std::uint8_t> header, plain;
  append_number(header, static_cast<std::uint32_t>(picture.width));
  append_number(header, static_cast<std::uint32_t>(picture.height));
  for (const std::uint8_t byte : {std::uint8_t{8}, kRgb, std::uint8_t{0}, std::uint8_t{0}, std::uint8_t{0}})
    header.push_back(byte);
  plain.reserve(picture.height * (picture.width * 3 + 1));
  for (std::size_t y = 0; y < picture.height; ++y) {
    plain.push_back(0);  // no filter: screens of text deflate well as they are
    for (std::size_t x = 0; x < picture.width; ++x) {
      const Colour &pixel = picture.at(x, y);
      plain.insert(plain.end(), {pixel.red, pixel.green, pixel.blue});
    }
  }
  uLongf size = ::compressBound(static_cast<uLong>(plain.size()));
  std::vector<std::uint8_t> packed(size);
  ::compress2(packed.data(), &size, plain.data(), static_cast<uLong>(plain.size()), Z_BEST_SPEED);
  packed.resize(size);
  std::vector<std::uint8_t> out(kPngSignature.begin(), kPngSignature.end());
  append_chunk(out, "IHDR", header);
  append_chunk(out, "IDAT", packed);
  append_chunk(out, "IEND", {});
  return out;
}

}  // namespace ferry
