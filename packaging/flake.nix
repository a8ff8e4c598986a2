# SPDX-License-Identifier: Apache-2.0
# A draft for Nix: not tried there.
{
  description = "Move virtual machines from VirtualBox and VMware to libvirt";
  outputs = { self, nixpkgs }:
    let pkgs = nixpkgs.legacyPackages.x86_64-linux;
    in {
      packages.x86_64-linux.default = pkgs.stdenv.mkDerivation {
        pname = "virt-ferry";
        version = "0.2.0";
        src = ../.;
        nativeBuildInputs = with pkgs; [ cmake ninja pkg-config ];
        buildInputs = with pkgs; [
          boost cli11 libarchive libdeflate libnbd libseccomp libvirt libxml2 nlohmann_json openssl yaml-cpp zlib zstd
        ];
        cmakeFlags = [ "-DBUILD_TESTING=OFF" "-DCMAKE_UNITY_BUILD=ON" ];
      };
    };
}
