// SPDX-License-Identifier: Apache-2.0
// Firmware: pflash pairs, -bios, a kernel started directly, and -global.
#include <algorithm>

#include "importers/qemu/blocks.hpp"
#include "importers/qemu/context.hpp"

#include "support/text.hpp"

namespace ferry::qemu {
namespace {

// A BIOS image that is EFI firmware: by its name, as distributions call it.
bool is_efi_name(const std::string &file) {
  const std::string name = text::lower_ascii(file);
  return name.find("ovmf") != std::string::npos || name.find("edk2") != std::string::npos ||
         name.find("efi") != std::string::npos || name.ends_with(".fd");
}

bool is_32_bit_name(const std::string &file) {
  const std::string name = text::lower_ascii(file);
  return name.find("ia32") != std::string::npos || name.find("i386") != std::string::npos;
}

void take_flash(Context &c, Block &block, std::string_view field) {
  if (block.option == nullptr) return;
  c.settle(*block.option, "id", Disposition::irrelevant, "a name inside the command");
  c.settle(*block.option, "node-name", Disposition::irrelevant, "a name inside the command");
  c.take_rest(*block.option, field);
}

class FirmwareReader {
 public:
  explicit FirmwareReader(Context &c) : c_(c), firmware_(c.hardware().firmware), blocks_(read_blocks(c)) {}

  void read() {
    firmware_.origin = c_.launch.where;
    find_flash();
    if (code_ != nullptr || store_ != nullptr) {
      flash();
    } else {
      bios();
    }
    for (Option *option : c_.all("bios")) c_.settle_rest(*option, Disposition::dropped, "flash takes its place");
    kernel();
  }

 private:
  void find_flash() {
    for (Block &block : blocks_) {
      if (block.interface == "pflash") (block.unit == 0U ? code_ : store_) = &block;
    }
    for (Option *option : c_.all("machine")) {
      for (const std::string_view key : {"pflash0", "pflash1"}) {
        const std::string node = Context::peek(*option, key);
        if (node.empty()) continue;
        c_.settle(*option, key, Disposition::irrelevant, "a name inside the command");
        for (Block &block : blocks_) {
          if (block.id == node) (key == "pflash0" ? code_ : store_) = &block;
        }
      }
    }
  }

  void flash() {
    const Block &code = code_ != nullptr ? *code_ : *store_;
    firmware_.type = is_32_bit_name(code.file) ? FirmwareType::efi32 : FirmwareType::efi64;
    firmware_.origin = code.option->where;
    if (code_ != nullptr) {
      take_flash(c_, *code_, "hardware.firmware.loader_file");
      c_.ask(code_->file, code_->option->where);
      const Context::Found found = c_.locate(without_opens(code_->file), code_->option->where);
      // libvirt starts raw images only.
      if (found.exists && code_->has_file && format_at(*code_, found.path) == ImageFormat::raw)
        firmware_.loader_file = found.path;
    }
    if (store_ == nullptr || store_->read_only) {
      if (store_ != nullptr) take_flash(c_, *store_, "hardware.firmware.nvram_file");
      c_.raise(kStoreMissing, firmware_.origin, "The firmware has no store that it may write to.");
      return;
    }
    take_flash(c_, *store_, "hardware.firmware.nvram_file");
    c_.ask(store_->file, store_->option->where);
    if (!store_->has_file) {
      c_.raise(kStoreMissing, store_->option->where, "The variable store is not a file, so a new one is made.");
      return;
    }
    const Context::Found found = c_.locate(without_opens(store_->file), store_->option->where);
    if (!found.exists) {
      c_.raise(kStoreMissing, store_->option->where,
               "The variable store " + text::printable(store_->file) + " was not found.");
    } else {
      firmware_.nvram_file = found.path;
      firmware_.nvram_qcow2 = format_at(*store_, found.path) == ImageFormat::qcow2;
    }
  }

  void bios() {
    Option *option = c_.last("bios");
    if (option == nullptr) return;
    const std::string file = c_.text(*option, "", "hardware.firmware.type").value_or("");
    firmware_.origin = option->where;
    if (!is_efi_name(file)) {
      c_.settle(*option, Disposition::dropped, "the host's own BIOS is used");
      return;
    }
    firmware_.type = is_32_bit_name(file) ? FirmwareType::efi32 : FirmwareType::efi64;
    c_.raise(kStoreMissing, option->where,
             "The firmware " + text::printable(file) + " is started without a store, so it forgets its variables.");
  }

  void kernel() {
    Option *image = c_.last("kernel");
    if (image == nullptr) {
      for (const std::string_view name : {"initrd", "append"}) {
        for (Option *option : c_.all(name)) c_.settle(*option, Disposition::irrelevant, "there is no -kernel");
      }
      return;
    }
    KernelBoot boot;
    boot.origin = image->where;
    const auto file = [&](Option *option, std::string_view field) -> std::filesystem::path {
      const auto text = c_.text(*option, "", field);
      if (!text || text->empty()) return {};
      const Context::Found found = c_.locate(*text, option->where);
      if (!found.exists)
        c_.raise(kImageMissing, option->where, "The file " + text::printable(*text) + " was not found.");
      return found.path;
    };
    boot.kernel = file(image, "hardware.kernel.kernel");
    if (Option *initrd = c_.last("initrd")) boot.initrd = file(initrd, "hardware.kernel.initrd");
    if (Option *append = c_.last("append"))
      boot.command_line = c_.text(*append, "", "hardware.kernel.command_line").value_or("");
    c_.hardware().kernel = std::move(boot);
  }

  Context &c_;
  Firmware &firmware_;
  std::vector<Block> blocks_;
  Block *code_ = nullptr, *store_ = nullptr;
};

void read_global(Context &c, Option &option) {
  std::string name, value;
  if (Context::find(option, "driver") != nullptr) {
    name = Context::peek(option, "driver") + "." + Context::peek(option, "property");
    value = Context::peek(option, "value");
  } else if (!option.keys.empty()) {
    name = option.keys.front().name;
    value = option.keys.front().value;
  }
  Hardware &hardware = c.hardware();
  const std::size_t dot = name.rfind('.');
  const std::string property = dot == std::string::npos ? name : name.substr(dot + 1);
  const std::string device = dot == std::string::npos ? std::string{} : name.substr(0, dot);
  const std::string small = text::lower_ascii(device);
  if ((small == "piix4_pm" || small == "ich9-lpc") && (property == "disable_s3" || property == "disable_s4")) {
    c.take_rest(option, "hardware.machine_properties");
    hardware.machine_properties[property] = value;
  } else if (small == "kvm-pit" && property == "lost_tick_policy") {
    c.take_rest(option, "hardware.clock.pit_policy");
    hardware.clock.pit_policy = value;
  } else if (small == "cfi.pflash01" && property == "secure") {
    c.take_rest(option, "hardware.machine_properties");
    hardware.machine_properties["pflash-secure"] = parse_bool(value).value_or(false) ? "on" : "off";
  } else {
    c.ask(option.argument, option.where);
    c.take_rest(option, "hardware.qemu_arguments");
    hardware.qemu_arguments.insert(hardware.qemu_arguments.end(), {"-global", without_opens(option.argument)});
    c.raise(kCommandlineKept, option.where,
            "libvirt has no element for -global " + text::printable(name) + "; QEMU gets it as it is.");
  }
}

}  // namespace

void read_firmware(Context &c) {
  FirmwareReader(c).read();
  for (Option *option : c.all("global")) read_global(c, *option);
}

}  // namespace ferry::qemu
