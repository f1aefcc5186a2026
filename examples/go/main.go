// llmroute from Go: example_go http://gpu-1:8000 ...
//
// A plain call, a stream to pull from, a call that is cancelled from its callback, and a strategy of one's own.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

const question = `{"messages":[{"role":"user","content":"hello"}]}`

func chat(router *Router) error {
	_, node, err := router.Route(question)
	if err == nil {
		fmt.Println("chat:", node, "answered")
	}
	return err
}

func stream(router *Router) error {
	stream, err := router.Stream(question)
	if err != nil {
		return err
	}
	defer stream.Close()
	fmt.Print("stream: ")
	for {
		data, err := stream.Next()
		if err == io.EOF {
			fmt.Println()
			return nil
		} else if err != nil {
			return err
		}
		var chunk struct {
			Choices []struct{ Delta struct{ Content string } }
		}
		if json.Unmarshal(data, &chunk) == nil { // [DONE] is none
			for _, choice := range chunk.Choices {
				fmt.Print(choice.Delta.Content)
			}
		}
	}
}

func cancel(router *Router) error {
	events := 0
	call, err := router.Start(question, func([]byte) bool { events++; return false })
	if err != nil {
		return err
	}
	var ended *Error
	if !errors.As(call.Wait(), &ended) {
		return errors.New("the call was not cancelled")
	}
	fmt.Println("cancel:", ended.Name, "after", events, "event")
	return nil
}

// lastIdle takes the fewest calls in flight; of equals the last.
func lastIdle(pick Pick) int {
	best := 0
	for i := 1; i < pick.Count(); i++ {
		if pick.InFlight(i) <= pick.InFlight(best) {
			best = i
		}
	}
	return best
}

func ownStrategy(router *Router) error {
	if err := router.UseStrategy(lastIdle); err != nil {
		return err
	}
	_, node, err := router.Route(question)
	if err == nil {
		fmt.Println("strategy:", node)
	}
	return err
}

func run(urls []string) error {
	type node struct {
		URL string `json:"url"`
	}
	config := struct {
		Nodes []node `json:"nodes"`
	}{}
	for _, url := range urls {
		config.Nodes = append(config.Nodes, node{url})
	}
	text, _ := json.Marshal(config)
	for _, part := range []func(*Router) error{chat, stream, cancel, ownStrategy} {
		router, err := NewRouter(string(text))
		if err != nil {
			return err
		}
		err = part(router)
		router.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: example_go NODE_URL...")
		os.Exit(2)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
