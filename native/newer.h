// Numbers of Linux that the system's headers may be too old to know, each with the kernel that brought it, and
// numbers that no header of libc or the kernel gives to programs. They are ABI: they do not change.
#ifndef BERKELEY_NEWER_H
#define BERKELEY_NEWER_H

// Socket options, as numbered by every architecture that takes asm-generic/socket.h (x86, ARM, RISC-V, …).
#if SOL_SOCKET == 1
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76 // 6.5
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 // 6.5
#endif
#ifndef SO_DEVMEM_LINEAR
#define SO_DEVMEM_LINEAR 78 // 6.12
#endif
#ifndef SO_DEVMEM_DMABUF
#define SO_DEVMEM_DMABUF 79 // 6.12
#endif
#ifndef SO_DEVMEM_DONTNEED
#define SO_DEVMEM_DONTNEED 80 // 6.12
#endif
#ifndef SCM_TS_OPT_ID
#define SCM_TS_OPT_ID 81 // 6.13
#endif
#ifndef SO_RCVPRIORITY
#define SO_RCVPRIORITY 82 // 6.14
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 // 6.16
#endif
#ifndef SO_INQ
#define SO_INQ 84 // 6.17
#endif
#ifndef SCM_INQ
#define SCM_INQ SO_INQ
#endif
#endif

#ifndef SCM_SECURITY
#define SCM_SECURITY 3 // 2.6.17; in the kernel's own linux/socket.h only
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 4 // 6.5
#endif
#ifndef MSG_SOCK_DEVMEM
#define MSG_SOCK_DEVMEM 0x2000000 // 6.12
#endif

#ifndef IPPROTO_L2TP
#define IPPROTO_L2TP 115 // 6.1; an IANA number
#endif
#ifndef IPPROTO_SMC
#define IPPROTO_SMC 256 // 6.11
#endif
#ifndef IPPORT_USERRESERVED
#define IPPORT_USERRESERVED 5000 // an enumerator of libc
#endif

// Levels that the kernel's own linux/socket.h has and no header for programs.
#ifndef SOL_TCP
#define SOL_TCP 6
#endif
#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef SOL_SCTP
#define SOL_SCTP 132
#endif
#ifndef SOL_UDPLITE
#define SOL_UDPLITE 136
#endif
#ifndef SOL_IPX
#define SOL_IPX 256
#endif
#ifndef SOL_AX25
#define SOL_AX25 257
#endif
#ifndef SOL_ATALK
#define SOL_ATALK 258
#endif
#ifndef SOL_NETROM
#define SOL_NETROM 259
#endif
#ifndef SOL_ROSE
#define SOL_ROSE 260
#endif

// TCP.
#ifndef TCP_AO_ADD_KEY
#define TCP_AO_ADD_KEY 38 // 6.7
#define TCP_AO_DEL_KEY 39 // 6.7
#define TCP_AO_INFO 40 // 6.7
#define TCP_AO_GET_KEYS 41 // 6.7
#define TCP_AO_REPAIR 42 // 6.7
#endif
#ifndef TCP_IS_MPTCP
#define TCP_IS_MPTCP 43 // 6.9
#endif
#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS 44 // 6.15
#endif
#ifndef TCP_RTO_MIN_US
#define TCP_RTO_MIN_US 45 // 6.16
#endif
#ifndef TCP_DELACK_MAX_US
#define TCP_DELACK_MAX_US 46 // 6.16
#endif
#ifndef MPTCP_FULL_INFO
#define MPTCP_FULL_INFO 4 // 6.5
#endif

// States in TCP_INFO: <netinet/tcp.h> has them and does not go together with <linux/tcp.h>.
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_FIN_WAIT1 4
#define TCP_FIN_WAIT2 5
#define TCP_TIME_WAIT 6
#define TCP_CLOSE 7
#define TCP_CLOSE_WAIT 8
#define TCP_LAST_ACK 9
#define TCP_LISTEN 10
#define TCP_CLOSING 11
#define TCP_NEW_SYN_RECV 12

// Netfilter: its headers bring tables that nobody here needs.
#ifndef SO_ORIGINAL_DST
#define SO_ORIGINAL_DST 80
#endif
#ifndef IP6T_SO_ORIGINAL_DST
#define IP6T_SO_ORIGINAL_DST 80
#endif

// <net/ethernet.h> has these, and in musl it does not go together with <linux/if_arp.h>.
#define ETHERTYPE_ARP ETH_P_ARP
#define ETHERTYPE_IP ETH_P_IP
#define ETHERTYPE_IPV6 ETH_P_IPV6
#define ETHERTYPE_VLAN ETH_P_8021Q

// UDP-Lite: udplite(7) says to define them.
#ifndef UDPLITE_SEND_CSCOV
#define UDPLITE_SEND_CSCOV 10
#endif
#ifndef UDPLITE_RECV_CSCOV
#define UDPLITE_RECV_CSCOV 11
#endif

#define SOF_TIMESTAMPING_OPT_ID_TCP (1 << 16)    // 6.2
#define SOF_TIMESTAMPING_OPT_RX_FILTER (1 << 17) // 6.12
#define SOF_TIMESTAMPING_TX_COMPLETION (1 << 18) // 6.15

// AF_ALG: asymmetric keys were never merged; CPython names them, so they are named here.
#ifndef ALG_SET_KEY_BY_KEY_SERIAL
#define ALG_SET_KEY_BY_KEY_SERIAL 7 // 6.2
#endif
#ifndef ALG_SET_PUBKEY
#define ALG_SET_PUBKEY 6
#endif
#ifndef ALG_OP_SIGN
#define ALG_OP_SIGN 2
#endif
#ifndef ALG_OP_VERIFY
#define ALG_OP_VERIFY 3
#endif

// The broadcast manager's names without their prefix are too short to give to programs.
#define CAN_BCM_TX_SETUP TX_SETUP
#define CAN_BCM_TX_DELETE TX_DELETE
#define CAN_BCM_TX_READ TX_READ
#define CAN_BCM_TX_SEND TX_SEND
#define CAN_BCM_RX_SETUP RX_SETUP
#define CAN_BCM_RX_DELETE RX_DELETE
#define CAN_BCM_RX_READ RX_READ
#define CAN_BCM_TX_STATUS TX_STATUS
#define CAN_BCM_TX_EXPIRED TX_EXPIRED
#define CAN_BCM_RX_STATUS RX_STATUS
#define CAN_BCM_RX_TIMEOUT RX_TIMEOUT
#define CAN_BCM_RX_CHANGED RX_CHANGED
#define CAN_BCM_SETTIMER SETTIMER
#define CAN_BCM_STARTTIMER STARTTIMER
#define CAN_BCM_TX_COUNTEVT TX_COUNTEVT
#define CAN_BCM_TX_ANNOUNCE TX_ANNOUNCE
#define CAN_BCM_TX_CP_CAN_ID TX_CP_CAN_ID
#define CAN_BCM_RX_FILTER_ID RX_FILTER_ID
#define CAN_BCM_RX_CHECK_DLC RX_CHECK_DLC
#define CAN_BCM_RX_NO_AUTOTIMER RX_NO_AUTOTIMER
#define CAN_BCM_RX_ANNOUNCE_RESUME RX_ANNOUNCE_RESUME
#define CAN_BCM_TX_RESET_MULTI_IDX TX_RESET_MULTI_IDX
#define CAN_BCM_RX_RTR_FRAME RX_RTR_FRAME
#define CAN_BCM_CAN_FD_FRAME CAN_FD_FRAME

// Bluetooth: the kernel has no header for programs; these are the numbers of its net/bluetooth/*.h.
#define SOL_HCI 0
#define SOL_L2CAP 6
#define SOL_SCO 17
#define SOL_RFCOMM 18
#define BTPROTO_L2CAP 0
#define BTPROTO_HCI 1
#define BTPROTO_SCO 2
#define BTPROTO_RFCOMM 3
#define BTPROTO_BNEP 4
#define BTPROTO_CMTP 5
#define BTPROTO_HIDP 6
#define BTPROTO_AVDTP 7
#define BTPROTO_ISO 8 // 6.0
#define BDADDR_BREDR 0
#define BDADDR_LE_PUBLIC 1
#define BDADDR_LE_RANDOM 2
#define HCI_DEV_NONE 0xffff
#define HCI_CHANNEL_RAW 0
#define HCI_CHANNEL_USER 1
#define HCI_CHANNEL_MONITOR 2
#define HCI_CHANNEL_CONTROL 3
#define HCI_CHANNEL_LOGGING 4
#define HCI_DATA_DIR 1
#define HCI_FILTER 2
#define HCI_TIME_STAMP 3
#define BT_SECURITY 4
#define BT_SECURITY_SDP 0
#define BT_SECURITY_LOW 1
#define BT_SECURITY_MEDIUM 2
#define BT_SECURITY_HIGH 3
#define BT_SECURITY_FIPS 4
#define BT_DEFER_SETUP 7
#define BT_FLUSHABLE 8
#define BT_FLUSHABLE_OFF 0
#define BT_FLUSHABLE_ON 1
#define BT_POWER 9
#define BT_POWER_FORCE_ACTIVE_OFF 0
#define BT_POWER_FORCE_ACTIVE_ON 1
#define BT_CHANNEL_POLICY 10
#define BT_CHANNEL_POLICY_BREDR_ONLY 0
#define BT_CHANNEL_POLICY_BREDR_PREFERRED 1
#define BT_CHANNEL_POLICY_AMP_PREFERRED 2
#define BT_VOICE 11
#define BT_VOICE_TRANSPARENT 0x0003
#define BT_VOICE_CVSD_16BIT 0x0060
#define BT_VOICE_TRANSPARENT_16BIT 0x0063
#define BT_SNDMTU 12
#define BT_RCVMTU 13
#define BT_PHY 14
#define BT_PHY_BR_1M_1SLOT 0x00000001
#define BT_PHY_BR_1M_3SLOT 0x00000002
#define BT_PHY_BR_1M_5SLOT 0x00000004
#define BT_PHY_EDR_2M_1SLOT 0x00000008
#define BT_PHY_EDR_2M_3SLOT 0x00000010
#define BT_PHY_EDR_2M_5SLOT 0x00000020
#define BT_PHY_EDR_3M_1SLOT 0x00000040
#define BT_PHY_EDR_3M_3SLOT 0x00000080
#define BT_PHY_EDR_3M_5SLOT 0x00000100
#define BT_PHY_LE_1M_TX 0x00000200
#define BT_PHY_LE_1M_RX 0x00000400
#define BT_PHY_LE_2M_TX 0x00000800
#define BT_PHY_LE_2M_RX 0x00001000
#define BT_PHY_LE_CODED_TX 0x00002000
#define BT_PHY_LE_CODED_RX 0x00004000
#define BT_MODE 15
#define BT_MODE_BASIC 0
#define BT_MODE_ERTM 1
#define BT_MODE_STREAMING 2
#define BT_MODE_LE_FLOWCTL 3
#define BT_MODE_EXT_FLOWCTL 4
#define BT_PKT_STATUS 16
#define BT_ISO_QOS 17
#define BT_CODEC 19
#define BT_ISO_BASE 20
#define L2CAP_OPTIONS 1
#define L2CAP_CONNINFO 2
#define L2CAP_LM 3
#define L2CAP_LM_MASTER 0x0001
#define L2CAP_LM_AUTH 0x0002
#define L2CAP_LM_ENCRYPT 0x0004
#define L2CAP_LM_TRUSTED 0x0008
#define L2CAP_LM_RELIABLE 0x0010
#define L2CAP_LM_SECURE 0x0020
#define RFCOMM_CONNINFO 2
#define RFCOMM_LM 3
#define SCO_OPTIONS 1
#define SCO_CONNINFO 2

#endif
