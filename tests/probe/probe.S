// SPDX-License-Identifier: Apache-2.0
//
// The probe guest: a disk of 1 MiB that boots by BIOS and says on COM1 what it sees, one "key=value" a line, and then
// halts. The tests boot it before and after a migration and compare. Numbers are hexadecimal with 0x in front.
//
//   boot=0x80                            the BIOS's number of the disk that it booted from
//   e820=0xBASE 0xLENGTH 0xTYPE          one line for each region; 64-bit numbers
//   memory.cmos_kib=0x10000              memory below 4 GiB by the RTC's CMOS (registers 0x34 and 0x35)
//   disk0.sectors=0x800                  of each BIOS disk, 512 bytes each
//   disk0.crc_first=0x...                CRC-32 (as gzip's) of its first 128 sectors
//   disk0.crc_last=0x...                 of its last sector
//   disk0.crc_all=0x...                  of the whole disk, up to 16 MiB
//   rtc=2026-11-23 15:04:05              the real-time clock as it stands
//   smbios.anchor=_SM_ 0x02.0x08         each entry point with the version that it names
//   smbios.uuid=0123...                  the 16 bytes as they lie in the table
//   smbios.manufacturer= .product= .version= .serial=
//   smbios.memory_mib=0x40               the sum of the memory devices
//   acpi.cpus=0x02                       the processors that ACPI's MADT calls enabled; no line without ACPI
//   pci.00:03.0=8086:100e 020000         vendor, device, class code
//   bus.00:1c.0=01                       a bridge's secondary bus
//   slot.00:1c.0=0x21                    a PCIe port's physical slot number (what systemd calls ens33)
//   mac.00:03.0=080027123456             of the network cards that it knows
//   ata.1f0.0.model= .serial=            legacy IDE: command port and drive;  ahci.00:0d.0.0.model=  AHCI: port
//   probe: done
//
// Sources: the BIOS interfaces of INT 10h, 13h (EDD), 15h (E820); System Management BIOS Reference Specification; PCI
// Local Bus 3.0 (configuration mechanism 1); ATA/ATAPI-7 IDENTIFY; AHCI 1.3; Intel 8254x manual (RAL/RAH); virtio 1.0.
//
// 16-bit code all through; memory above 1 MiB is reached through %fs in unreal mode. DS, SS and CS are 0.

        .set    BUFFER_SEGMENT, 0x2000          // disk sectors: 64 of them
        .set    BUFFER, 0x20000
        .set    AHCI_LIST, 0x30000              // command list, received FIS, command table, data
        .set    AHCI_FIS, 0x30400
        .set    AHCI_TABLE, 0x30800
        .set    CODE_SECTORS, 16
        .set    DISK_SECTORS, 2048

        .code16
        .section .text
        .globl  _start
_start:
        ljmp    $0, $begin
begin:
        cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        sti
        cld
        movb    %dl, drive
        movb    %dl, boot_drive
        movw    $banner, %si
        call    bios_puts
        movw    $first_packet, %si              // the rest of this program, behind this sector
        movb    $0x42, %ah
        int     $0x13
        jnc     stage
        movw    $unreadable, %si
        call    bios_puts
halt:
        cli
        hlt
        jmp     halt

bios_puts:
        lodsb
        testb   %al, %al
        jz      1f
        movb    $0x0e, %ah
        movw    $7, %bx
        int     $0x10
        jmp     bios_puts
1:      ret

banner: .asciz  "virt-ferry probe guest: what it sees is on COM1\r\n"
unreadable: .asciz "virt-ferry probe guest: the boot disk cannot be read\r\n"
        .balign 4
first_packet:
        .byte   16, 0
        .word   CODE_SECTORS - 1
        .word   0x7e00, 0                       // offset, segment
        .long   1, 0                            // first sector

        .org    510
        .word   0xaa55

// ---- what the BIOS says ----

        .org    512
stage:
        call    serial_init
        movw    $s_begin, %si
        call    puts
        movw    $s_boot, %si
        call    puts
        movb    boot_drive, %al
        call    put_0x8
        call    newline
        call    memory_map
        call    disks
        cli
        call    enter_unreal
        call    clock
        call    smbios
        call    processors
        call    pci
        call    legacy_ide
        movw    $s_done, %si
        call    puts
        jmp     halt

memory_map:
        xorl    %ebx, %ebx
1:      movw    $region, %di
        movl    $1, region+20
        movl    $0xe820, %eax
        movl    $24, %ecx
        movl    $0x534d4150, %edx               // SMAP
        int     $0x15
        jc      2f
        cmpl    $0x534d4150, %eax
        jne     2f
        pushl   %ebx
        movw    $s_e820, %si
        call    puts
        movw    $region, %bx
        call    put_0x64
        call    space
        movw    $region+8, %bx
        call    put_0x64
        call    space
        movl    region+16, %eax
        call    put_0x32
        call    newline
        popl    %ebx
        testl   %ebx, %ebx
        jnz     1b
2:      movb    $0x35, %al                      // memory above 16 MiB in 64 KiB
        call    cmos
        movb    %al, %bh
        movb    $0x34, %al
        call    cmos
        movb    %al, %bl
        movzwl  %bx, %eax
        shll    $6, %eax
        addl    $16384, %eax
        movw    $s_cmos, %si
        call    puts
        call    put_0x32
        jmp     newline

// Each BIOS disk: size and checksums.
disks:
        movb    $0x80, drive
1:      movb    drive, %al
        subb    $0x80, %al
        cmpb    0x475, %al                      // number of disks, in the BIOS data area
        jae     9f
        movw    $26, edd
        movb    $0x48, %ah
        movb    drive, %dl
        movw    $edd, %si
        int     $0x13
        jc      8f
        call    disk_name
        movw    $s_sectors, %si
        call    puts
        movw    $edd+16, %bx
        call    put_0x64
        call    newline
        call    disk_name
        movw    $s_crc_first, %si
        xorl    %eax, %eax
        movl    $128, %ecx
        call    checksum
        call    disk_name
        movw    $s_crc_last, %si
        movl    edd+16, %eax
        movl    edd+20, %edx
        subl    $1, %eax
        sbbl    $0, %edx
        movl    $1, %ecx
        call    checksum_at
        cmpl    $0, edd+20
        jne     8f
        movl    edd+16, %ecx
        cmpl    $0x8000, %ecx                   // 16 MiB
        ja      8f
        call    disk_name
        movw    $s_crc_all, %si
        xorl    %eax, %eax
        call    checksum
8:      incb    drive
        jmp     1b
9:      ret

disk_name:
        movw    $s_disk, %si
        call    puts
        movb    drive, %al
        subb    $0x80 - '0', %al
        jmp     putc

// Prints the text at SI and the CRC-32 of ECX sectors from EDX:EAX (checksum: from EAX).
checksum:
        xorl    %edx, %edx
checksum_at:
        call    puts
        movl    %eax, packet+8
        movl    %edx, packet+12
        movl    $0xffffffff, %ebp
1:      movl    %ecx, %eax
        cmpl    $64, %eax
        jbe     2f
        movl    $64, %eax
2:      movw    %ax, packet+2
        movw    $0, packet+4
        movw    $BUFFER_SEGMENT, packet+6
        pushl   %eax
        pushl   %ecx
        pushl   %ebp
        movw    $packet, %si
        movb    drive, %dl
        movb    $0x42, %ah
        int     $0x13
        popl    %ebp
        popl    %ecx
        popl    %eax
        jc      7f
        addl    %eax, packet+8
        adcl    $0, packet+12
        pushl   %eax
        call    crc
        popl    %eax
        subl    %eax, %ecx
        jnz     1b
        movl    %ebp, %eax
        notl    %eax
        call    put_0x32
        jmp     newline
7:      movw    $s_unreadable, %si
        jmp     puts

// Goes on with the CRC in EBP over AX sectors in the buffer.
crc:
        pushl   %ecx
        movw    %ax, %cx
        shlw    $9, %cx
        movw    $BUFFER_SEGMENT, %ax
        movw    %ax, %es
        xorw    %si, %si
1:      movzbl  %es:(%si), %eax
        incw    %si
        xorl    %eax, %ebp
        .rept   2                               // a nibble each
        movl    %ebp, %ebx
        andl    $15, %ebx
        shrl    $4, %ebp
        xorl    crc_table(, %ebx, 4), %ebp
        .endr
        decw    %cx
        jnz     1b
        xorw    %ax, %ax
        movw    %ax, %es
        popl    %ecx
        ret

// ---- what the hardware says; interrupts are off from here ----

// 4 GiB behind %fs, base 0.
enter_unreal:
        inb     $0x92, %al                      // A20
        orb     $2, %al
        andb    $0xfe, %al
        outb    %al, $0x92
        lgdtl   gdt_pointer
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        jmp     1f
1:      movw    $8, %bx
        movw    %bx, %fs
        andb    $0xfe, %al
        movl    %eax, %cr0
        ljmp    $0, $2f
2:      xorw    %bx, %bx
        movw    %bx, %fs
        ret

cmos:   // register AL
        outb    %al, $0x70
        inb     $0x71, %al
        ret

clock:
        movw    $s_rtc, %si
        call    puts
1:      movb    $0x0a, %al                      // not while it counts on
        call    cmos
        testb   $0x80, %al
        jnz     1b
        movw    $clock_parts, %di
2:      movb    (%di), %al
        cmpb    $0xff, %al
        je      newline
        call    cmos
        call    put_hex8
        movb    1(%di), %al
        testb   %al, %al
        jz      3f
        call    putc
3:      addw    $2, %di
        jmp     2b

smbios:
        movl    $0, table
        movl    $0xf0000, %esi
1:      movl    %fs:(%esi), %eax
        cmpl    $0x5f4d535f, %eax               // _SM_
        jne     2f
        cmpl    $0x494d445f, %fs:16(%esi)       // _DMI
        jne     4f
        movw    %fs:6(%esi), %bx
        movl    %fs:24(%esi), %ecx
        movzwl  %fs:22(%esi), %edx
        movw    $s_sm2, %di
        jmp     3f
2:      cmpl    $0x334d535f, %eax               // _SM3
        jne     4f
        cmpb    $'_', %fs:4(%esi)
        jne     4f
        movw    %fs:7(%esi), %bx
        movl    %fs:16(%esi), %ecx
        movl    %fs:12(%esi), %edx
        movw    $s_sm3, %di
3:      cmpl    $0, table                       // the tables of the first one
        jne     5f
        movl    %ecx, table
        movl    %edx, table_size
5:      pushl   %esi
        movw    %di, %si
        call    puts
        movb    %bl, %al
        call    put_0x8
        movb    $'.', %al
        call    putc
        movb    %bh, %al
        call    put_0x8
        call    newline
        popl    %esi
4:      addl    $16, %esi
        cmpl    $0x100000, %esi
        jb      1b
        movl    table, %esi
        testl   %esi, %esi
        jz      9f
        movl    %esi, %ebp
        addl    table_size, %ebp                // the end
        movl    $0, memory
6:      leal    4(%esi), %eax
        cmpl    %ebp, %eax
        jae     8f
        movb    %fs:(%esi), %al
        cmpb    $1, %al
        jne     7f
        call    system_information
7:      movb    %fs:(%esi), %al
        cmpb    $17, %al
        jne     7f
        call    memory_device
7:      movb    %fs:(%esi), %al
        cmpb    $127, %al
        je      8f
        movzbl  %fs:1(%esi), %eax
        addl    %eax, %esi
7:      cmpl    %ebp, %esi                      // behind the strings: two zero bytes
        jae     8f
        incl    %esi
        cmpw    $0, %fs:-1(%esi)
        jne     7b
        incl    %esi
        jmp     6b
8:      movw    $s_memory, %si
        call    puts
        movl    memory, %eax
        call    put_0x32
        call    newline
9:      ret

system_information:
        pushl   %esi
        movw    $s_uuid, %si
        call    puts
        popl    %esi
        movw    $8, %cx
1:      movzwl  %cx, %ebx
        movb    %fs:(%esi, %ebx), %al
        call    put_hex8
        incw    %cx
        cmpw    $24, %cx
        jb      1b
        call    newline
        movw    $4, %cx                         // string fields from here on
        movw    $s_system, %di
2:      pushl   %esi
        movw    %di, %si
        call    puts
        movw    %si, %di
        popl    %esi
        movzwl  %cx, %ebx
        movb    %fs:(%esi, %ebx), %al
        call    put_string
        call    newline
        incw    %cx
        cmpw    $8, %cx
        jb      2b
        ret

// The string number AL of the structure at ESI.
put_string:
        pushl   %ebx
        movzbl  %fs:1(%esi), %ebx
        addl    %esi, %ebx
        movb    %al, %ah
        testb   %ah, %ah
        jz      9f
1:      decb    %ah
        jz      3f
2:      incl    %ebx
        cmpl    %ebp, %ebx
        jae     9f
        cmpb    $0, %fs:-1(%ebx)
        jne     2b
        jmp     1b
3:      movb    %fs:(%ebx), %al
        testb   %al, %al
        jz      9f
        cmpl    %ebp, %ebx
        jae     9f
        call    putc
        incl    %ebx
        jmp     3b
9:      popl    %ebx
        ret

memory_device:
        movzwl  %fs:12(%esi), %eax
        cmpw    $0xffff, %ax                    // not known
        je      9f
        cmpw    $0x7fff, %ax
        jne     1f
        movl    %fs:28(%esi), %eax
1:      addl    %eax, memory
9:      ret

// The MADT by way of RSDP ("RSD PTR " in the BIOS area, revision 1 fields) and RSDT.
processors:
        movl    $0xe0000, %esi
1:      cmpl    $0x20445352, %fs:(%esi)
        jne     2f
        cmpl    $0x20525450, %fs:4(%esi)
        je      3f
2:      addl    $16, %esi
        cmpl    $0x100000, %esi
        jb      1b
        ret
3:      movl    %fs:16(%esi), %esi
        movl    %fs:4(%esi), %ecx               // length: a head of 36 bytes and addresses
        subl    $36, %ecx
        shrl    $2, %ecx
        jz      9f
        cmpl    $64, %ecx                       // more is not believable
        ja      9f
        addl    $36, %esi
4:      movl    %fs:(%esi), %edi
        addl    $4, %esi
        cmpl    $0x43495041, %fs:(%edi)         // APIC
        je      5f
        decl    %ecx
        jnz     4b
9:      ret
5:      movl    %fs:4(%edi), %ecx
        addl    %edi, %ecx                      // the end
        addl    $44, %edi
        xorb    %dl, %dl
6:      cmpl    %ecx, %edi
        jae     8f
        cmpb    $0, %fs:(%edi)                  // a local APIC
        jne     7f
        testb   $1, %fs:4(%edi)
        jz      7f
        incb    %dl
7:      movzbl  %fs:1(%edi), %eax
        testl   %eax, %eax
        jz      8f
        addl    %eax, %edi
        jmp     6b
8:      movw    $s_cpus, %si
        call    puts
        movb    %dl, %al
        call    put_0x8
        jmp     newline

// ---- PCI ----

// EAX: the register AL of the function `bdf`.
config_read:
        pushw   %dx
        movzbl  %al, %eax
        orl     bdf, %eax
        movw    $0xcf8, %dx
        outl    %eax, %dx
        movw    $0xcfc, %dx
        inl     %dx, %eax
        popw    %dx
        ret

// Address of the base register AL, without its flags. ZF: not there.
base_address:
        call    config_read
        testb   $1, %al
        jz      1f
        andb    $0xfc, %al
        jmp     2f
1:      andb    $0xf0, %al
2:      testl   %eax, %eax
        ret

// EBX: the capability AL of the function; ZF: it has none. EBX is its offset.
capability:
        movb    %al, %ch
        movb    $4, %al
        call    config_read
        testl   $0x100000, %eax                 // status: has a list
        jz      8f
        movb    $0x34, %al
        call    config_read
        movzbl  %al, %ebx
next_capability:                                // from EBX on, looking at EBX itself
        movb    $48, %cl                        // a loop in the list ends it
1:      andb    $0xfc, %bl
        jz      8f
        movb    %bl, %al
        call    config_read
        cmpb    %ch, %al
        je      9f
        movzbl  %ah, %ebx
        decb    %cl
        jnz     1b
8:      xorl    %ebx, %ebx
9:      testl   %ebx, %ebx
        ret

put_bdf:
        movl    bdf, %eax
        shrl    $16, %eax
        call    put_hex8
        movb    $':', %al
        call    putc
        movw    bdf, %ax
        shrw    $11, %ax
        call    put_hex8
        movb    $'.', %al
        call    putc
        movw    bdf, %ax
        movb    %ah, %al
        andb    $7, %al
        jmp     put_digit

// "TEXT00:03.0=" with the text at SI.
put_key:
        call    puts
        call    put_bdf
        movb    $'=', %al
        jmp     putc

pci:
        movl    $0x80000000, bdf
1:      xorb    %al, %al
        call    config_read
        cmpw    $0xffff, %ax
        je      3f
        movl    %eax, id
        call    function
        movl    bdf, %eax
        testw   $0x0700, %ax
        jnz     2f
        movb    $0x0c, %al                      // one function only: on to the next device
        call    config_read
        testl   $0x800000, %eax
        jz      4f
2:      addl    $0x100, bdf
        jmp     5f
3:      testw   $0x0700, bdf
        jnz     2b
4:      addl    $0x800, bdf
5:      cmpl    $0x81000000, bdf                // 256 buses
        jb      1b
        ret

function:
        movw    $s_pci, %si
        call    put_key
        movw    id, %ax
        call    put_hex16
        movb    $':', %al
        call    putc
        movw    id+2, %ax
        call    put_hex16
        call    space
        movb    $8, %al
        call    config_read
        shrl    $8, %eax
        movl    %eax, class
        pushl   %eax
        shrl    $16, %eax
        call    put_hex8
        popl    %eax
        call    put_hex16
        call    newline
        cmpw    $0x0604, class+1
        je      bridge
        cmpw    $0x0106, class+1
        je      ahci
        cmpb    $2, class+2
        je      network
        ret

bridge:
        movw    $s_bus, %si
        call    put_key
        movb    $0x18, %al
        call    config_read
        movb    %ah, %al
        call    put_hex8
        call    newline
        movb    $0x10, %al                      // PCI Express
        call    capability
        jz      9f
        movb    %bl, %al
        call    config_read
        testl   $0x01000000, %eax               // a slot is implemented
        jz      9f
        movw    $s_slot, %si
        call    put_key
        movb    %bl, %al
        addb    $0x14, %al
        call    config_read
        shrl    $19, %eax
        call    put_0x32
        jmp     newline
9:      ret

// The MAC, by the card's own registers, into `mac`.
network:
        movw    $cards, %di
1:      movl    (%di), %eax
        testl   %eax, %eax
        jz      9f
        addw    $6, %di
        cmpl    id, %eax
        jne     1b
        call    *-2(%di)
        jz      9f
        movw    $s_mac, %si
        call    put_key
        xorw    %bx, %bx
2:      movb    mac(%bx), %al
        call    put_hex8
        incw    %bx
        cmpw    $6, %bx
        jb      2b
        jmp     newline
9:      ret

intel_mac:
        movb    $0x10, %al
        call    base_address
        jz      9f
        movl    %fs:0x5400(%eax), %ebx          // RAL0
        movl    %ebx, mac
        movl    %fs:0x5404(%eax), %ebx          // RAH0
        movw    %bx, mac+4
        orb     $1, %al
9:      ret

vmxnet3_mac:
        movb    $0x14, %al
        call    base_address
        jz      9f
        movl    %fs:0x28(%eax), %ebx
        movl    %ebx, mac
        movl    %fs:0x30(%eax), %ebx
        movw    %bx, mac+4
        orb     $1, %al
9:      ret

virtio_mac:
        movb    $0x10, %al                      // transitional: I/O ports, device part at 20
        call    config_read
        testb   $1, %al
        jz      1f
        movw    $20, %bx
        jmp     io_mac_at
1:      movb    $9, %al                         // modern: the vendor capability of type 4 says where
        call    capability
2:      jz      9f
        movb    %bl, %al
        call    config_read
        shrl    $24, %eax
        cmpb    $4, %al
        je      3f
        movb    %bl, %al
        call    config_read
        movzbl  %ah, %ebx
        call    next_capability
        jmp     2b
3:      movb    %bl, %al
        addb    $4, %al
        call    config_read                     // number of the base register
        shlb    $2, %al
        addb    $0x10, %al
        call    base_address
        movl    %eax, %edx
        movb    %bl, %al
        addb    $8, %al
        call    config_read
        addl    %eax, %edx
        movl    %fs:(%edx), %ebx
        movl    %ebx, mac
        movw    %fs:4(%edx), %bx
        movw    %bx, mac+4
        orb     $1, %al
9:      ret

io_mac: // PCnet and RTL8139: the first six I/O ports
        xorw    %bx, %bx
io_mac_at:
        movb    $0x10, %al
        call    base_address
        jz      9f
        movw    %ax, %dx
        addw    %bx, %dx
        xorw    %bx, %bx
1:      inb     %dx, %al
        movb    %al, mac(%bx)
        incw    %dx
        incw    %bx
        cmpw    $6, %bx
        jb      1b
        orb     $1, %al
9:      ret

// ---- disks by their own name ----

// AHCI: IDENTIFY on each port with a device. The BIOS's command list is not used any more.
ahci:
        movb    $0x24, %al
        call    base_address
        jz      9f
        movl    %eax, %esi
        movb    $0, port
1:      movzbl  port, %ecx
        movl    %fs:12(%esi), %eax              // PI
        btl     %ecx, %eax
        jnc     8f
        shll    $7, %ecx
        leal    0x100(%esi, %ecx), %edi         // the port's registers
        movl    %fs:0x28(%edi), %eax            // SSTS
        andb    $15, %al
        cmpb    $3, %al
        jne     8f
        call    ahci_identify
        jc      8f
        pushl   %esi
        movw    $s_ahci, %si
        movw    $put_ahci_name, %bx
        call    put_identity
        popl    %esi
8:      incb    port
        cmpb    $32, port
        jb      1b
9:      ret

put_ahci_name:
        call    put_bdf
        movb    $'.', %al
        call    putc
        movb    port, %al
        jmp     put_hex8

ahci_identify:
        andl    $~0x11, %fs:0x18(%edi)          // CMD: ST and FRE off
        movl    $0x100000, %ecx
1:      testl   $0xc000, %fs:0x18(%edi)         // until CR and FR are
        jz      2f
        decl    %ecx
        jnz     1b
        stc
        ret
2:      movl    $AHCI_LIST, %ebx
        xorl    %eax, %eax
3:      movl    %eax, %fs:(%ebx)
        addl    $4, %ebx
        cmpl    $AHCI_LIST + 0x1000, %ebx
        jb      3b
        movl    $AHCI_LIST, %fs:(%edi)
        movl    %eax, %fs:4(%edi)
        movl    $AHCI_FIS, %fs:8(%edi)
        movl    %eax, %fs:12(%edi)
        movl    $AHCI_LIST, %ebx
        movl    $0x00010005, %fs:(%ebx)         // one data block, a command of five words
        movl    $AHCI_TABLE, %fs:8(%ebx)
        movl    $AHCI_TABLE, %ebx
        movl    $0x00ec8027, %fs:(%ebx)         // register FIS with the command IDENTIFY DEVICE
        cmpl    $0xeb140101, %fs:0x24(%edi)     // SIG of a CD drive
        jne     4f
        movb    $0xa1, %fs:2(%ebx)              // IDENTIFY PACKET DEVICE
4:      movl    $BUFFER, %fs:0x80(%ebx)
        movl    $511, %fs:0x8c(%ebx)
        movl    $-1, %eax
        movl    %eax, %fs:0x10(%edi)            // IS
        movl    %eax, %fs:0x30(%edi)            // SERR
        orl     $0x10, %fs:0x18(%edi)
        orl     $1, %fs:0x18(%edi)
        movl    $1, %fs:0x38(%edi)              // CI
        movl    $0x1000000, %ecx
5:      testl   $1, %fs:0x38(%edi)
        jz      6f
        testl   $0x40000000, %fs:0x10(%edi)     // task file error
        jnz     7f
        decl    %ecx
        jnz     5b
7:      stc
        ret
6:      clc
        ret

// The ports of old: two channels with two drives.
legacy_ide:
        movw    $0x1f0, ide_port
1:      movb    $0, port
2:      call    ide_identify
        jc      3f
        movw    $s_ata, %si
        movw    $put_ata_name, %bx
        call    put_identity
3:      incb    port
        cmpb    $2, port
        jb      2b
        cmpw    $0x170, ide_port
        movw    $0x170, ide_port
        jne     1b
        ret

put_ata_name:
        movb    ide_port+1, %al
        call    put_digit
        movb    ide_port, %al
        call    put_hex8
        movb    $'.', %al
        call    putc
        movb    port, %al
        jmp     put_digit

ide_identify:
        movw    ide_port, %dx
        addw    $6, %dx
        movb    port, %al
        shlb    $4, %al
        orb     $0xa0, %al
        outb    %al, %dx
        incw    %dx                             // status and command
        movw    $0x100, %cx
1:      inb     %dx, %al                        // the drive needs a moment to answer
        decw    %cx
        jnz     1b
        cmpb    $0xff, %al
        je      8f
        testb   %al, %al
        jz      8f
        movb    $0xec, %al
        call    ide_command
        jnc     2f
        movb    $0xa1, %al
        call    ide_command
        jc      8f
2:      movw    ide_port, %dx
        movl    $BUFFER, %ebx
        movw    $256, %cx
3:      inw     %dx, %ax
        movw    %ax, %fs:(%ebx)
        addl    $2, %ebx
        decw    %cx
        jnz     3b
        clc
        ret
8:      stc
        ret

// The command AL at port DX; CF: no data come.
ide_command:
        outb    %al, %dx
        movl    $0x100000, %ecx
1:      inb     %dx, %al
        testb   $0x80, %al
        jnz     2f
        testb   $0x21, %al                      // error
        jnz     8f
        testb   $8, %al
        jnz     9f
        testb   %al, %al
        jz      8f
2:      decl    %ecx
        jnz     1b
8:      stc
        ret
9:      clc
        ret

// Model and serial number of the IDENTIFY data in the buffer: "TEXT" at SI, then what the function BX prints.
put_identity:
        pushw   %si
        call    puts
        call    *%bx
        movw    $s_model, %si
        call    puts
        movl    $BUFFER + 54, %edx
        movw    $20, %cx
        call    put_words
        call    newline
        popw    %si
        call    puts
        call    *%bx
        movw    $s_serial, %si
        call    puts
        movl    $BUFFER + 20, %edx
        movw    $10, %cx
        call    put_words
        jmp     newline

put_words:
        movb    %fs:1(%edx), %al                // first character in the high byte
        call    put_printable
        movb    %fs:(%edx), %al
        call    put_printable
        addl    $2, %edx
        decw    %cx
        jnz     put_words
        ret

put_printable:
        cmpb    $' ', %al
        jb      1f
        cmpb    $'~', %al
        jbe     putc
1:      movb    $'?', %al
        jmp     putc

// ---- COM1: 115200 8N1, polled. All keep every register. ----

serial_init:
        movw    $serial_setup, %si
1:      lodsw
        testw   %ax, %ax
        jz      2f
        movzbw  %al, %dx
        addw    $0x300, %dx
        movb    %ah, %al
        outb    %al, %dx
        jmp     1b
2:      ret

putc:
        pushw   %dx
        pushw   %cx
        pushw   %ax
        movw    $0x3fd, %dx
        xorw    %cx, %cx
1:      inb     %dx, %al
        testb   $0x20, %al
        jnz     2f
        decw    %cx                             // without a port all bits are set; a stuck one does not stop us
        jnz     1b
2:      popw    %ax
        movw    $0x3f8, %dx
        outb    %al, %dx
        popw    %cx
        popw    %dx
        ret

puts:   // SI goes behind the text
        pushw   %ax
1:      lodsb
        testb   %al, %al
        jz      2f
        call    putc
        jmp     1b
2:      popw    %ax
        ret

newline:
        pushw   %ax
        movb    $'\n', %al
        call    putc
        popw    %ax
        ret

space:
        pushw   %ax
        movb    $' ', %al
        call    putc
        popw    %ax
        ret

put_digit:
        pushw   %ax
        andb    $15, %al
        cmpb    $10, %al
        jb      1f
        addb    $'a' - '0' - 10, %al
1:      addb    $'0', %al
        call    putc
        popw    %ax
        ret

put_hex8:
        rorb    $4, %al
        call    put_digit
        rorb    $4, %al
        jmp     put_digit

put_hex16:
        xchgb   %al, %ah
        call    put_hex8
        xchgb   %al, %ah
        jmp     put_hex8

put_hex32:
        rorl    $16, %eax
        call    put_hex16
        rorl    $16, %eax
        jmp     put_hex16

put_0x:
        pushw   %ax
        movb    $'0', %al
        call    putc
        movb    $'x', %al
        call    putc
        popw    %ax
        ret

put_0x8:
        call    put_0x
        jmp     put_hex8

put_0x32:
        call    put_0x
        jmp     put_hex32

put_0x64:       // at BX
        pushl   %eax
        call    put_0x
        movl    4(%bx), %eax
        call    put_hex32
        movl    (%bx), %eax
        call    put_hex32
        popl    %eax
        ret

// ---- constants ----

s_begin: .asciz "probe: begin\n"
s_boot: .asciz  "boot="
s_e820: .asciz  "e820="
s_cmos: .asciz  "memory.cmos_kib="
s_disk: .asciz  "disk"
s_sectors: .asciz ".sectors="
s_crc_first: .asciz ".crc_first="
s_crc_last: .asciz ".crc_last="
s_crc_all: .asciz ".crc_all="
s_unreadable: .asciz "unreadable\n"
s_rtc:  .asciz  "rtc="
s_sm2:  .asciz  "smbios.anchor=_SM_ "
s_sm3:  .asciz  "smbios.anchor=_SM3_ "
s_uuid: .asciz  "smbios.uuid="
s_system: .asciz "smbios.manufacturer="          // these four in the order of the fields
        .asciz  "smbios.product="
        .asciz  "smbios.version="
        .asciz  "smbios.serial="
s_memory: .asciz "smbios.memory_mib="
s_cpus: .asciz  "acpi.cpus="
s_pci:  .asciz  "pci."
s_bus:  .asciz  "bus."
s_slot: .asciz  "slot."
s_mac:  .asciz  "mac."
s_ata:  .asciz  "ata."
s_ahci: .asciz  "ahci."
s_model: .asciz ".model="
s_serial: .asciz ".serial="
s_done: .asciz  "probe: done\n"

// CMOS register and what follows it.
clock_parts:
        .byte   0x32, 0, 0x09, '-', 0x08, '-', 0x07, ' ', 0x04, ':', 0x02, ':', 0x00, 0, 0xff

// Low byte of the port, value: no interrupts; divisor 1; 8N1; queues on and empty; DTR, RTS, OUT2.
serial_setup:
        .byte   0xf9, 0, 0xfb, 0x80, 0xf8, 1, 0xf9, 0, 0xfb, 3, 0xfa, 0xc7, 0xfc, 0x0b, 0, 0

// Device and vendor, and the function that reads its MAC.
        .macro  card vendor, device, reader
        .word   \vendor, \device, \reader
        .endm
cards:
        card    0x8086, 0x100e, intel_mac       // 82540EM
        card    0x8086, 0x100f, intel_mac       // 82545EM
        card    0x8086, 0x1004, intel_mac       // 82543GC
        card    0x8086, 0x1008, intel_mac       // 82544GC
        card    0x8086, 0x10d3, intel_mac       // 82574L, e1000e
        card    0x1022, 0x2000, io_mac          // PCnet
        card    0x10ec, 0x8139, io_mac          // RTL8139
        card    0x15ad, 0x07b0, vmxnet3_mac
        card    0x1af4, 0x1000, virtio_mac
        card    0x1af4, 0x1041, virtio_mac
        .long   0

        .balign 8
crc_table:      // the reflected polynomial 0xedb88320, one entry per nibble
        .long   0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c
        .long   0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c

gdt:    .quad   0
        .quad   0x00cf92000000ffff              // data, base 0, 4 GiB
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   gdt

        .balign 4
packet: .byte   16, 0
        .word   0, 0, 0
        .long   0, 0

// Variables, behind the program in memory.
        .set    variables, 0x7c00 + CODE_SECTORS * 512
        .set    drive, variables
        .set    boot_drive, variables + 1
        .set    port, variables + 2
        .set    ide_port, variables + 4
        .set    mac, variables + 8
        .set    bdf, variables + 16
        .set    id, variables + 20
        .set    class, variables + 24
        .set    table, variables + 28
        .set    table_size, variables + 32
        .set    memory, variables + 36
        .set    region, variables + 40          // 24 bytes
        .set    edd, variables + 64             // 30 bytes

// ---- the rest of the disk: recognisable sectors, a hole, and a last sector with content ----

        .org    CODE_SECTORS * 512              // an error here: the program has outgrown CODE_SECTORS
        .set    number, CODE_SECTORS
        .rept   256 - CODE_SECTORS
        .ascii  "virt-ferry probe disk, sector "
        .word   number
        .fill   480, 1, number & 0xff
        .set    number, number + 1
        .endr
        .org    1536 * 512                      // sectors 256 to 1535 are zeros
        .set    number, 1536
        .rept   DISK_SECTORS - 1536
        .ascii  "virt-ferry probe disk, sector "
        .word   number
        .fill   480, 1, (number * 7) & 0xff
        .set    number, number + 1
        .endr
