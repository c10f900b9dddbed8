package server

import "syscall"

func dieWithParent(attr *syscall.SysProcAttr) {
	attr.Pdeathsig = syscall.SIGKILL
}

// confine gives a child and all it starts namespaces of their own, so that no process and no mount of theirs outlives it.
func confine(attr *syscall.SysProcAttr) {
	attr.Cloneflags |= syscall.CLONE_NEWPID
	attr.Unshareflags |= syscall.CLONE_NEWNS
}
