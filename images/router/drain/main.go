// drain is what a router does before it ends, since Envoy ends at once on SIGTERM. It has Envoy fail its health check,
// from when on each connection is closed after the answer under way, and then gives everybody time to go elsewhere:
//
//	drain <Envoy's admin port> <seconds>
//
// A program and not a script, so that the image needs no shell.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

const request = "POST /healthcheck/fail HTTP/1.1\r\nHost: admin\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

func main() {
	if len(os.Args) != 3 {
		leave(2, "write: drain <Envoy's admin port> <seconds>")
	}
	seconds, err := strconv.ParseFloat(os.Args[2], 64)
	if err != nil {
		leave(2, "the seconds to wait are not a number: "+os.Args[2])
	}
	err = failHealthCheck("127.0.0.1:" + os.Args[1])
	// Whatever Envoy said: nodes that still send here must not find the door shut.
	time.Sleep(time.Duration(seconds * float64(time.Second)))
	if err != nil {
		leave(1, err.Error())
	}
}

func failHealthCheck(address string) error {
	connection, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return err
	}
	if _, err := connection.Write([]byte(request)); err != nil {
		return err
	}
	status, err := bufio.NewReader(connection).ReadString('\n')
	if err != nil || !strings.Contains(status, " 200 ") {
		return fmt.Errorf("Envoy's admin interface at %s answered %q (%v)", address, strings.TrimSpace(status), err)
	}
	return nil
}

// leave tells the kubelet, which shows it as the event FailedPreStopHook.
func leave(code int, sentence string) {
	fmt.Fprintln(os.Stderr, sentence)
	os.Exit(code)
}
