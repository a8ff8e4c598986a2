// SPDX-License-Identifier: Apache-2.0
// Names of the model's enumerators, as the JSON form and messages show them: the C++ names.
#pragma once

#include <string_view>

#include "model/machine.hpp"

namespace ferry {

[[nodiscard]] std::string_view to_string(FirmwareType value);
[[nodiscard]] std::string_view to_string(Chipset value);
[[nodiscard]] std::string_view to_string(Cpu::Architecture value);
[[nodiscard]] std::string_view to_string(Paravirtualization value);
[[nodiscard]] std::string_view to_string(ControllerType value);
[[nodiscard]] std::string_view to_string(DriveKind value);
[[nodiscard]] std::string_view to_string(NicModel value);
[[nodiscard]] std::string_view to_string(NicMode value);
[[nodiscard]] std::string_view to_string(PortForward::Protocol value);
[[nodiscard]] std::string_view to_string(CharPort::Backend value);
[[nodiscard]] std::string_view to_string(Sound::Model value);
[[nodiscard]] std::string_view to_string(UsbController::Type value);
[[nodiscard]] std::string_view to_string(Input::Pointing value);
[[nodiscard]] std::string_view to_string(Input::Keyboard value);
[[nodiscard]] std::string_view to_string(Display::Adapter value);
[[nodiscard]] std::string_view to_string(Display::Exchange value);
[[nodiscard]] std::string_view to_string(Clock::Base value);
[[nodiscard]] std::string_view to_string(Device::Kind value);
[[nodiscard]] std::string_view to_string(Tpm::Version value);
[[nodiscard]] std::string_view to_string(BootDevice::Kind value);
[[nodiscard]] std::string_view to_string(NicNames value);
[[nodiscard]] std::string_view to_string(ImageFormat value);
[[nodiscard]] std::string_view to_string(MediumType value);
[[nodiscard]] std::string_view to_string(SourceKind value);
[[nodiscard]] std::string_view to_string(OsFamily value);

}  // namespace ferry
