"""The screen: pictures come in, what each is like and which of them stay go out."""
