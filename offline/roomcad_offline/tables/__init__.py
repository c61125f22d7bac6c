"""The paper's tables and Figure 4: published numbers beside those of the room benchmark."""
