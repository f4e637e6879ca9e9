// A command in Go, for WASI preview 1: prints the lines of a file that hold a text, with their numbers. Without a file it reads
// standard input.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	if len(os.Args) < 2 || len(os.Args) > 3 {
		fmt.Fprintln(os.Stderr, "usage: lines TEXT [FILE]")
		os.Exit(2)
	}
	var from io.Reader = os.Stdin
	if len(os.Args) == 3 {
		file, err := os.Open(os.Args[2])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		defer file.Close()
		from = file
	}
	scanner := bufio.NewScanner(from)
	for number := 1; scanner.Scan(); number++ {
		if strings.Contains(scanner.Text(), os.Args[1]) {
			fmt.Printf("%d: %s\n", number, scanner.Text())
		}
	}
	if err := scanner.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
