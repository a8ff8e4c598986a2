#!/bin/bash
# A TPM of the older interface, whose swtpm the script starts.
#: folder tpm
swtpm socket --tpm2 --tpmstate "dir=$PWD/tpm" --ctrl type=unixio,path=tpm/sock --terminate --daemon
qemu-system-x86_64 -M q35 -m 64 -chardev socket,id=chrtpm,path=tpm/sock -tpmdev emulator,id=tpm0,chardev=chrtpm \
  -device tpm-tis,tpmdev=tpm0
