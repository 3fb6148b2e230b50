"""The screen: pictures come in, what each is like, whether it stays and which show the same go out."""
