// SPDX-License-Identifier: Apache-2.0
// The functions of libvirt that are used here, by their own names: in this namespace they are those of the host's
// libvirt.so.0, which is opened when the first is called. Each throws Error unreachable where there is none.
#pragma once

#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "support/shared_library.hpp"

namespace ferry::libvirt {

inline constexpr SharedLibrary::Absence kNoLibvirt{
    ErrorKind::unreachable, "libvirt cannot be reached: its library cannot be opened",
    "Install libvirt (Debian: apt install libvirt-daemon libvirt-daemon-driver-qemu qemu-system-x86), or use "
    "--no-define, which needs no libvirt."};
inline const SharedLibrary kLibvirt("libvirt.so.0", kNoLibvirt);
inline const SharedLibrary kLibvirtQemu("libvirt-qemu.so.0", kNoLibvirt);

// NOLINTBEGIN(readability-identifier-naming, cppcoreguidelines-macro-usage): libvirt's names
#define FERRY_LIBVIRT(library, name) inline const LibraryFunction<decltype(::name)> name(library, #name)
FERRY_LIBVIRT(kLibvirt, virConnectClose);
FERRY_LIBVIRT(kLibvirt, virConnectGetCapabilities);
FERRY_LIBVIRT(kLibvirt, virConnectGetDomainCapabilities);
FERRY_LIBVIRT(kLibvirt, virConnectGetLibVersion);
FERRY_LIBVIRT(kLibvirt, virConnectGetVersion);
FERRY_LIBVIRT(kLibvirt, virConnectListAllDomains);
FERRY_LIBVIRT(kLibvirt, virConnectListAllNetworks);
FERRY_LIBVIRT(kLibvirt, virConnectListAllStoragePools);
FERRY_LIBVIRT(kLibvirt, virConnectOpenAuth);
FERRY_LIBVIRT(kLibvirt, virDomainBlockPull);
FERRY_LIBVIRT(kLibvirt, virDomainCreate);
FERRY_LIBVIRT(kLibvirt, virDomainCreateXML);
FERRY_LIBVIRT(kLibvirt, virDomainDefineXML);
FERRY_LIBVIRT(kLibvirt, virDomainDefineXMLFlags);
FERRY_LIBVIRT(kLibvirt, virDomainDestroy);
FERRY_LIBVIRT(kLibvirt, virDomainFree);
FERRY_LIBVIRT(kLibvirt, virDomainGetAutostart);
FERRY_LIBVIRT(kLibvirt, virDomainGetBlockJobInfo);
FERRY_LIBVIRT(kLibvirt, virDomainGetConnect);
FERRY_LIBVIRT(kLibvirt, virDomainGetName);
FERRY_LIBVIRT(kLibvirt, virDomainGetState);
FERRY_LIBVIRT(kLibvirt, virDomainGetUUIDString);
FERRY_LIBVIRT(kLibvirt, virDomainGetXMLDesc);
FERRY_LIBVIRT(kLibvirt, virDomainHasManagedSaveImage);
FERRY_LIBVIRT(kLibvirt, virDomainIsActive);
FERRY_LIBVIRT(kLibvirt, virDomainListAllSnapshots);
FERRY_LIBVIRT(kLibvirt, virDomainLookupByName);
FERRY_LIBVIRT(kLibvirt, virDomainLookupByUUIDString);
FERRY_LIBVIRT(kLibvirtQemu, virDomainQemuAgentCommand);
FERRY_LIBVIRT(kLibvirt, virDomainResume);
FERRY_LIBVIRT(kLibvirt, virDomainScreenshot);
FERRY_LIBVIRT(kLibvirt, virDomainSetAutostart);
FERRY_LIBVIRT(kLibvirt, virDomainShutdownFlags);
FERRY_LIBVIRT(kLibvirt, virDomainSnapshotCreateXML);
FERRY_LIBVIRT(kLibvirt, virDomainSnapshotFree);
FERRY_LIBVIRT(kLibvirt, virDomainSnapshotGetName);
FERRY_LIBVIRT(kLibvirt, virDomainSnapshotGetXMLDesc);
FERRY_LIBVIRT(kLibvirt, virDomainSnapshotIsCurrent);
FERRY_LIBVIRT(kLibvirt, virDomainUndefineFlags);
FERRY_LIBVIRT(kLibvirt, virEventRegisterDefaultImpl);
FERRY_LIBVIRT(kLibvirt, virGetLastError);
FERRY_LIBVIRT(kLibvirt, virInitialize);
FERRY_LIBVIRT(kLibvirt, virNetworkFree);
FERRY_LIBVIRT(kLibvirt, virNetworkGetName);
FERRY_LIBVIRT(kLibvirt, virSetErrorFunc);
FERRY_LIBVIRT(kLibvirt, virStoragePoolFree);
FERRY_LIBVIRT(kLibvirt, virStoragePoolGetXMLDesc);
FERRY_LIBVIRT(kLibvirt, virStoragePoolLookupByName);
FERRY_LIBVIRT(kLibvirt, virStoragePoolRefresh);
FERRY_LIBVIRT(kLibvirt, virStorageVolFree);
FERRY_LIBVIRT(kLibvirt, virStorageVolGetPath);
FERRY_LIBVIRT(kLibvirt, virStorageVolLookupByName);
FERRY_LIBVIRT(kLibvirt, virStreamAbort);
FERRY_LIBVIRT(kLibvirt, virStreamFinish);
FERRY_LIBVIRT(kLibvirt, virStreamFree);
FERRY_LIBVIRT(kLibvirt, virStreamNew);
FERRY_LIBVIRT(kLibvirt, virStreamRecv);
#undef FERRY_LIBVIRT
// NOLINTEND(readability-identifier-naming, cppcoreguidelines-macro-usage)

}  // namespace ferry::libvirt
