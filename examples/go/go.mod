module llmroute_example

go 1.19
