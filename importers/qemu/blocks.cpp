// SPDX-License-Identifier: Apache-2.0
#include "importers/qemu/blocks.hpp"

#include <algorithm>
#include <fstream>
#include <set>

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

[[noreturn]] void refuse(const Place &where, std::string message, std::string_view found = {}) {
  throw Error(ErrorKind::malformed, {.where = where,
                                     .message = std::move(message),
                                     .found = text::printable(found),
                                     .advice = "Correct the command: QEMU itself would refuse it."});
}

ImageFormat format_of(std::string_view name) {
  if (name == "qcow2") return ImageFormat::qcow2;
  if (name == "raw" || name == "host_device" || name == "host_cdrom" || name == "file") return ImageFormat::raw;
  if (name == "vmdk") return ImageFormat::vmdk;
  if (name == "vdi") return ImageFormat::vdi;
  if (name == "vpc") return ImageFormat::vhd;
  if (name == "vhdx") return ImageFormat::vhdx;
  if (name == "qcow") return ImageFormat::qcow;
  if (name == "qed") return ImageFormat::qed;
  if (name == "parallels") return ImageFormat::parallels;
  return ImageFormat::unknown;
}

// As QEMU probes it: by what the image begins with.
ImageFormat probe(const std::filesystem::path &path) {
  std::ifstream in(path, std::ios::binary);
  std::string head(512, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(in.gcount()));
  using namespace std::string_view_literals;
  if (head.starts_with("QFI\xfb\0\0\0\x01"sv)) return ImageFormat::qcow;
  if (head.starts_with("QFI\xfb")) return ImageFormat::qcow2;
  if (head.starts_with("KDMV") || head.starts_with("COWD") || head.find("# Disk DescriptorFile") < 64)
    return ImageFormat::vmdk;
  if (head.starts_with("vhdxfile")) return ImageFormat::vhdx;
  if (head.starts_with("conectix")) return ImageFormat::vhd;
  if (head.starts_with("QED\0"sv)) return ImageFormat::qed;
  if (head.size() > 68 && head.substr(64, 4) == "\x7f\x10\xda\xbe") return ImageFormat::vdi;
  if (head.starts_with("WithoutFreeSpace") || head.starts_with("WithouFreSpacExt")) return ImageFormat::parallels;
  return ImageFormat::raw;
}

// "nbd:...", "rbd:pool/image", "fat:rw:dir": something that QEMU makes or fetches.
bool is_no_file(const std::string &file) {
  const std::size_t colon = file.find(':');
  const std::size_t slash = file.find('/');
  if (colon == std::string::npos || colon < 2 || (slash != std::string::npos && slash < colon)) return false;
  const std::string scheme = file.substr(0, colon);
  return std::all_of(scheme.begin(), scheme.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '_';
  });
}

class BlockReader {
 public:
  explicit BlockReader(Context &c) : c_(c) {}

  std::vector<Block> read() {
    for (Option &option : c_.options) {
      if (!option.known) continue;
      const std::string &name = option.name;
      if (name == "drive") {
        blocks_.push_back(drive(option));
      } else if (name == "blockdev") {
        if (auto block = blockdev(option)) blocks_.push_back(std::move(*block));
      } else if (name.size() == 3 && name.starts_with("hd")) {
        image(option, "ide", static_cast<unsigned>(name[2] - 'a'));
      } else if (name == "cdrom") {
        image(option, "ide", 2);
        blocks_.back().cdrom = true;
      } else if (name == "fda" || name == "fdb") {
        image(option, "floppy", static_cast<unsigned>(name[2] - 'a'));
      } else if (name == "pflash") {
        image(option, "pflash", std::nullopt);
        blocks_.back().format = "raw";
      }
    }
    place();
    return std::move(blocks_);
  }

 private:
  void image(Option &option, std::string interface, std::optional<unsigned> index) {
    Block block;
    block.option = &option;
    block.interface = std::move(interface);
    block.index = index;
    block.has_file = true;
    block.file = option.keys.empty() ? std::string{} : option.keys.back().value;
    blocks_.push_back(std::move(block));
  }

  [[nodiscard]] static std::optional<unsigned> small_number(const Option &option, std::string_view key) {
    const Key *found = Context::find(option, key);
    if (found == nullptr) return std::nullopt;
    const auto value = parse_number(found->value);
    if (!value || *value > 255) refuse(option.where, std::string(key) + " is not the number of a drive", found->value);
    return static_cast<unsigned>(*value);
  }

  Block drive(Option &option) {
    Block block;
    block.option = &option;
    const auto peek = [&](std::string_view key) { return Context::peek(option, key); };
    block.interface = peek("if").empty() ? "ide" : peek("if");
    block.id = peek("id");
    block.has_file = Context::find(option, "file") != nullptr || Context::find(option, "file.filename") != nullptr;
    block.file = block.has_file ? peek(Context::find(option, "file") != nullptr ? "file" : "file.filename") : "";
    if (block.has_file && block.file.starts_with("json:")) block.file = json_file(block.file);
    if (block.file.empty()) block.has_file = false;
    block.format = peek("format").empty() ? peek("driver") : peek("format");
    block.cdrom = peek("media") == "cdrom";
    block.read_only = parse_bool(peek("readonly")).value_or(parse_bool(peek("read-only")).value_or(false));
    block.snapshot = parse_bool(peek("snapshot")).value_or(false);
    block.index = small_number(option, "index");
    block.bus = small_number(option, "bus");
    block.unit = small_number(option, "unit");
    block.serial = peek("serial");
    block.cache = peek("cache");
    block.io = peek("aio");
    block.discard = peek("discard");
    block.detect_zeroes = peek("detect-zeroes");
    block.error_policy = peek("werror");
    block.read_error_policy = peek("rerror");
    block.address = peek("addr");
    return block;
  }

  static std::string json_file(const std::string &text) {
    const auto keys = parse_json(std::string_view(text).substr(5));
    if (!keys) return text;
    for (const Key &key : *keys) {
      if (key.name == "file.filename" || key.name == "filename") return key.value;
    }
    return text;
  }

  // A node of a graph: the format layer names its file by node name, or holds it ("file.filename").
  std::optional<Block> blockdev(Option &option) {
    Block block;
    block.option = &option;
    block.interface = "none";
    block.id = Context::peek(option, "node-name");
    const std::string driver = Context::peek(option, "driver");
    block.format = driver;
    block.read_only = parse_bool(Context::peek(option, "read-only")).value_or(false);
    block.discard = Context::peek(option, "discard");
    block.detect_zeroes = Context::peek(option, "detect-zeroes");
    // The innermost file, through filters such as throttle.
    for (const Key &key : option.keys) {
      if (key.name == "filename" || key.name.ends_with(".filename")) {
        block.file = key.value;
        block.has_file = true;
      }
      if (key.name.ends_with(".driver") && format_of(key.value) != ImageFormat::unknown && key.value != "file" &&
          format_of(driver) == ImageFormat::unknown) {
        block.format = key.value;
      }
      if (key.name.ends_with("aio")) block.io = key.value;
    }
    const std::string below = Context::peek(option, "file");
    for (const Block &other : blocks_) {
      if (!block.has_file && !below.empty() && other.id == below) {
        block.file = other.file;
        block.has_file = other.has_file;
      }
    }
    if (driver == "file" || driver == "host_device") block.format = "raw";
    return block;
  }

  // The boards have IDE 2 units a bus (q35: one), floppies two, and refuse what is beyond.
  void place() {
    std::set<std::pair<std::string, std::pair<unsigned, unsigned>>> taken;
    for (Block &block : blocks_) {
      const bool ide = block.interface == "ide", floppy = block.interface == "floppy";
      const bool scsi = block.interface == "scsi", flash = block.interface == "pflash";
      if (!ide && !floppy && !scsi && !flash) continue;
      const unsigned units = ide ? (c_.type.q35 ? 1U : 2U) : scsi ? 7U : 2U;
      const unsigned buses = ide ? (c_.type.q35 ? 6U : 2U) : 1U;
      const Place where = block.option != nullptr ? block.option->where : Place{};
      unsigned bus = block.bus.value_or(0);
      std::optional<unsigned> unit = block.unit;
      if (block.index) {
        bus = *block.index / units;
        unit = *block.index % units;
      }
      const auto is_taken = [&](unsigned b, unsigned u) { return taken.contains({block.interface, {b, u}}); };
      if (!unit) {
        unit = 0;
        while (bus < buses && is_taken(bus, *unit)) {
          if (++*unit == units) {
            *unit = 0;
            ++bus;
          }
        }
      }
      if (bus >= buses || *unit >= units) {
        refuse(where, "the board has no place for this drive",
               block.interface + " bus " + std::to_string(bus) + ", unit " + std::to_string(*unit));
      }
      if (is_taken(bus, *unit)) {
        std::string other;
        for (const Block &before : blocks_) {
          if (&before != &block && before.interface == block.interface && before.bus == bus && before.unit == unit &&
              before.option != nullptr) {
            other = before.option->where.text();
          }
        }
        refuse(where, "two drives are at one place",
               block.interface + " bus " + std::to_string(bus) + ", unit " + std::to_string(*unit) + ", as " + other);
      }
      taken.insert({block.interface, {bus, *unit}});
      block.bus = bus;
      block.unit = unit;
    }
  }

  Context &c_;
  std::vector<Block> blocks_;
};

void take_keys(Context &c, Block &block, const std::string &field) {
  Option &option = *block.option;
  for (Key &key : option.keys) {
    if (key.taken) continue;
    key.taken = true;
    const std::string &name = key.name;
    if (name.empty() || name == "file" || name.ends_with("filename")) {
      c.out.ledger.take(key.entry, field + ".medium");
    } else if (name == "format" || name == "driver" || name.ends_with(".driver") || name == "media") {
      c.out.ledger.take(key.entry, field + ".medium");
    } else if (name == "if" || name == "index" || name == "bus" || name == "unit" || name == "addr") {
      c.out.ledger.take(key.entry, field + ".port");
    } else if (name == "id" || name == "node-name" || name.ends_with("node-name") || name.ends_with("throttle-group")) {
      c.out.ledger.settle(key.entry, Disposition::irrelevant, "a name inside the command");
    } else if (name == "readonly" || name.ends_with("read-only") || name == "snapshot") {
      c.out.ledger.take(key.entry, field + ".medium.type");
    } else if (name == "serial") {
      c.out.ledger.take(key.entry, field + ".serial");
    } else if (name == "cache" || name == "cache.direct" || name.ends_with("cache.no-flush") ||
               name.ends_with("cache.direct") || name == "cache.writeback") {
      c.out.ledger.take(key.entry, field + ".cache");
    } else if (name == "aio" || name.ends_with(".aio")) {
      c.out.ledger.take(key.entry, field + ".io");
    } else if (name == "discard" || name.ends_with(".discard")) {
      c.out.ledger.take(key.entry, field + ".discard");
    } else if (name == "detect-zeroes" || name.ends_with(".detect-zeroes")) {
      c.out.ledger.take(key.entry, field + ".detect_zeroes");
    } else if (name == "werror") {
      c.out.ledger.take(key.entry, field + ".error_policy");
    } else if (name == "rerror") {
      c.out.ledger.take(key.entry, field + ".read_error_policy");
    } else if (name == "boot" || name == "cyls" || name == "heads" || name == "secs" || name == "trans") {
      c.out.ledger.settle(key.entry, Disposition::dropped, "QEMU has it no longer");
    } else if (name.starts_with("throttling") || name.starts_with("bps") || name.starts_with("iops")) {
      c.out.ledger.settle(key.entry, Disposition::dropped, "the drive's speed is not limited");
    } else if (name.find("locking") != std::string::npos || name.find("l2-cache") != std::string::npos ||
               name.find("auto-read-only") != std::string::npos || name.find("size") != std::string::npos ||
               name.find("offset") != std::string::npos || name == "copy-on-read") {
      c.out.ledger.settle(key.entry, Disposition::dropped, "how QEMU reads the image, not what is in it");
    } else {
      c.out.ledger.settle(key.entry, Disposition::dropped, "libvirt has no such setting of a drive");
    }
  }
}

}  // namespace

ImageFormat format_at(const Block &block, const std::filesystem::path &path) {
  const ImageFormat named = format_of(block.format);
  return named == ImageFormat::unknown ? probe(path) : named;
}

std::vector<Block> read_blocks(Context &c) { return BlockReader(c).read(); }

void fill_drive(Context &c, Block &block, Drive &drive, const std::string &field) {
  block.used = true;
  if (block.option != nullptr) drive.origin = block.option->where;
  const auto set = [](std::optional<std::string> &into, const std::string &from) {
    if (!from.empty()) into = from;
  };
  set(drive.serial, block.serial);
  set(drive.cache, block.cache);
  set(drive.io, block.io);
  set(drive.detect_zeroes, block.detect_zeroes == "off" ? "" : block.detect_zeroes);
  set(drive.error_policy, block.error_policy);
  set(drive.read_error_policy, block.read_error_policy);
  if (block.discard == "unmap" || block.discard == "on") drive.discard = true;
  if (block.discard == "ignore" || block.discard == "off") drive.discard = false;
  if (block.option == nullptr) return;
  take_keys(c, block, field);
  if (!block.has_file) return;
  if (has_open(block.file)) {
    c.ask(block.file, drive.origin);
    return;
  }
  const bool floppy_or_cd = drive.kind != DriveKind::disk;
  if (is_no_file(block.file)) {
    c.raise(kNotAFile, drive.origin,
            "'" + text::printable(block.file) + "' is not an image file; the drive is left out.");
    return;
  }
  const Context::Found found = c.locate(block.file, drive.origin);
  Medium medium;
  medium.origin = drive.origin;
  medium.type = block.read_only && !floppy_or_cd ? MediumType::readonly : MediumType::normal;
  if (floppy_or_cd) medium.type = MediumType::readonly;
  medium.auto_reset = block.snapshot || c.has("snapshot");
  ImageFile image;
  image.origin = drive.origin;
  image.declared_location = found.exists ? found.path.string() : block.file;
  std::error_code error;
  const bool device = std::filesystem::is_block_file(found.path, error) || found.path.string().starts_with("/dev/");
  image.declared_format = format_of(block.format);
  if (device) {
    image.declared_format = ImageFormat::host_device;
    if (floppy_or_cd) {
      drive.host_device = found.path.string();
      return;
    }
    c.raise(kHostDevice, drive.origin, "The disk is the host's device " + text::printable(found.path.string()) + ".");
  } else if (found.exists) {
    image.pieces.push_back({found.path, 0, std::nullopt});
    if (image.declared_format == ImageFormat::unknown) {
      image.declared_format = floppy_or_cd ? ImageFormat::raw : probe(found.path);
      if (!floppy_or_cd && block.format.empty()) {
        c.raise(kFormatProbed, drive.origin,
                "The command does not say the format of " + text::printable(found.path.filename().string()) + ".");
      }
    }
  } else {
    image.declared_location = found.path.string();
    if (image.declared_format == ImageFormat::unknown) image.declared_format = ImageFormat::raw;
    c.raise(kImageMissing, drive.origin, "The image " + text::printable(block.file) + " was not found.");
  }
  medium.chain.push_back(std::move(image));
  drive.medium = std::move(medium);
}

}  // namespace ferry::qemu
