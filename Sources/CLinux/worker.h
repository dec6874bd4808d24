// What a worker process gives up before it touches media from outside.
#ifndef WEDLIVE_CLINUX_WORKER_H
#define WEDLIVE_CLINUX_WORKER_H
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define WL_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define WL_AUDIT_ARCH AUDIT_ARCH_AARCH64
#else
#define WL_AUDIT_ARCH 0
#endif

#define WL_DENY(number, error)                        \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), \
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))

/// Denies this process, for good and without needing privileges: new sockets and connections,
/// opening or changing files, other programs and processes, and kernel features that exploits use.
/// What is open stays usable; threads can still be started. Returns 0, or -1 with errno.
static inline int wl_confine_worker(void) {
#if WL_AUDIT_ARCH == 0
  errno = ENOSYS;
  return -1;
#else
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, WL_AUDIT_ARCH, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#if defined(__x86_64__)
      // The x32 interface numbers the same calls anew.
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
#endif
      // Network.
      WL_DENY(SYS_socket, EPERM), WL_DENY(SYS_socketpair, EPERM), WL_DENY(SYS_connect, EPERM),
      WL_DENY(SYS_bind, EPERM), WL_DENY(SYS_listen, EPERM), WL_DENY(SYS_accept, EPERM),
      WL_DENY(SYS_accept4, EPERM),
      // Files.
      WL_DENY(SYS_openat, EACCES), WL_DENY(SYS_openat2, EACCES), WL_DENY(SYS_truncate, EACCES),
      WL_DENY(SYS_unlinkat, EACCES), WL_DENY(SYS_mkdirat, EACCES), WL_DENY(SYS_linkat, EACCES),
      WL_DENY(SYS_symlinkat, EACCES), WL_DENY(SYS_fchmodat, EACCES), WL_DENY(SYS_fchownat, EACCES),
      WL_DENY(SYS_mknodat, EACCES), WL_DENY(SYS_renameat2, EACCES),
      WL_DENY(SYS_open_by_handle_at, EACCES),
#ifdef SYS_renameat
      WL_DENY(SYS_renameat, EACCES),
#endif
#ifdef SYS_open
      WL_DENY(SYS_open, EACCES), WL_DENY(SYS_creat, EACCES), WL_DENY(SYS_unlink, EACCES),
      WL_DENY(SYS_rename, EACCES), WL_DENY(SYS_mkdir, EACCES), WL_DENY(SYS_rmdir, EACCES),
      WL_DENY(SYS_link, EACCES), WL_DENY(SYS_symlink, EACCES), WL_DENY(SYS_chmod, EACCES),
      WL_DENY(SYS_chown, EACCES), WL_DENY(SYS_lchown, EACCES), WL_DENY(SYS_mknod, EACCES),
#endif
      // Programs and processes.
      WL_DENY(SYS_execve, EPERM), WL_DENY(SYS_execveat, EPERM), WL_DENY(SYS_ptrace, EPERM),
      WL_DENY(SYS_process_vm_readv, EPERM), WL_DENY(SYS_process_vm_writev, EPERM),
      WL_DENY(SYS_kill, EPERM), WL_DENY(SYS_pidfd_open, EPERM),
      WL_DENY(SYS_pidfd_send_signal, EPERM), WL_DENY(SYS_pidfd_getfd, EPERM),
#ifdef SYS_fork
      WL_DENY(SYS_fork, EPERM), WL_DENY(SYS_vfork, EPERM),
#endif
      // Kernel features.
      WL_DENY(SYS_unshare, EPERM), WL_DENY(SYS_setns, EPERM), WL_DENY(SYS_mount, EPERM),
      WL_DENY(SYS_umount2, EPERM), WL_DENY(SYS_chroot, EPERM), WL_DENY(SYS_pivot_root, EPERM),
      WL_DENY(SYS_bpf, EPERM), WL_DENY(SYS_io_uring_setup, EPERM),
      WL_DENY(SYS_perf_event_open, EPERM), WL_DENY(SYS_userfaultfd, EPERM),
      WL_DENY(SYS_keyctl, EPERM), WL_DENY(SYS_add_key, EPERM), WL_DENY(SYS_request_key, EPERM),
      WL_DENY(SYS_memfd_create, EPERM),
      // A thread is a clone that shares; clone3 hides its flags, so libc must use the older call.
      WL_DENY(SYS_clone3, ENOSYS),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x00010000 /* CLONE_THREAD */, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
#endif
}

// Behind __USE_GNU in libc's headers.
extern int setresuid(uid_t, uid_t, uid_t);
extern int setresgid(gid_t, gid_t, gid_t);
extern int setgroups(size_t, const gid_t *);
extern int unshare(int);
extern int pthread_setname_np(pthread_t, const char *);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);

/// Leaves the network by a namespace of its own, for kernels without seccomp. Needs privileges.
static inline int wl_leave_network(void) { return unshare(0x40000000 /* CLONE_NEWNET */); }

/// Becomes `nobody` if it is root. Returns 0 if nothing is left of root, or -1 with errno.
static inline int wl_drop_root(void) {
  if (geteuid() != 0) return 0;
  if (setgroups(0, NULL) != 0) return -1;
  if (setresgid(65534, 65534, 65534) != 0) return -1;
  return setresuid(65534, 65534, 65534);
}
#endif
