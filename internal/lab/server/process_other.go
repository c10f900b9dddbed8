//go:build unix && !linux

package server

import "syscall"

func dieWithParent(*syscall.SysProcAttr) {} // only Linux can

func confine(*syscall.SysProcAttr) {}
