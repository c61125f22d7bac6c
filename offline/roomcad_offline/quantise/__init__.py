"""Networks in int8: recorded inputs, the file made with them, and how near it comes to float32."""
