"""The language server for `*.rule` files (`quanyu rule lsp`)."""
