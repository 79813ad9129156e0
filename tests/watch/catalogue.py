"""Models that nobody here wrote, tiny and with random weights: what is read of each is known from its paper."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

TOKENS, WORDS = 12, 61
TEXT = {"vocab_size": WORDS, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
BERT = {"vocab_size": WORDS, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
LLAMA = {**TEXT, **BERT, "use_cache": False}
GROUPED = {**LLAMA, "num_key_value_heads": 1, "head_dim": 8}
VIT = {**BERT, "image_size": 16, "patch_size": 8}
del VIT["vocab_size"]
PAIR = {
    f"{half}_{name}": size
    for half in ("encoder", "decoder")
    for name, size in {"layers": 2, "attention_heads": 2, "ffn_dim": 32}.items()
}


@dataclass(frozen=True, eq=False)
class Case:
    """One architecture: `depth` boxes on its trunk, past which `skips` sums and `others` lead, by their merges' kinds."""

    name: str
    model: str
    settings: dict
    inputs: Callable[[], dict]
    depth: int
    skips: int
    others: dict[str, int] = field(default_factory=dict)
    remark: str = ""

    def make(self) -> torch.nn.Module:
        """Return the model, its weights drawn from seed 0."""
        import transformers

        torch.manual_seed(0)
        kind = getattr(transformers, self.model)
        return kind(kind.config_class(**self.settings))


def text() -> dict:
    """Return a batch of two texts."""
    return {"input_ids": torch.randint(3, WORDS, (2, TOKENS), generator=torch.Generator().manual_seed(1))}


def texts() -> dict:
    """Return two texts, and the beginnings of two others."""
    beginning = torch.randint(3, WORDS, (2, TOKENS - 4), generator=torch.Generator().manual_seed(2))
    return {**text(), "decoder_input_ids": beginning}


def image(size: int = 16) -> Callable[[], dict]:
    """Return what gives a batch of two colour images."""
    return lambda: {"pixel_values": torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))}


def sound() -> dict:
    """Return two sounds of 400 samples."""
    return {"input_values": torch.randn(2, 400, generator=torch.Generator().manual_seed(1))}


def spectrum() -> dict:
    """Return two spectrograms, and the beginnings of what is said."""
    return {
        "input_features": torch.randn(2, 8, 16, generator=torch.Generator().manual_seed(1)),
        "decoder_input_ids": texts()["decoder_input_ids"],
    }


def both() -> dict:
    """Return two texts and two images."""
    return {**text(), **image()()}


def block(blocks: int, boxes: int = 2) -> dict:
    """Return what a transformer has: two skips a block (Vaswani et al. 2017), one box before the blocks and one behind."""
    return {"depth": blocks * boxes + 2, "skips": blocks * 2}


POST_NORM = 5
"""Boxes of a block that has its norms behind the sums: attention, norm, linear, linear, norm."""

CASES = [
    Case(
        "GPT-2",
        "GPT2LMHeadModel",
        {**TEXT, "n_embd": 16, "n_layer": 3, "n_head": 2, "n_positions": 32, "use_cache": False},
        text,
        **block(3),
    ),
    Case("BERT", "BertModel", BERT, text, **block(2, POST_NORM)),
    Case("RoBERTa", "RobertaModel", {**BERT, **TEXT}, text, **block(2, POST_NORM)),
    Case(
        "DistilBERT",
        "DistilBertModel",
        {"vocab_size": WORDS, "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32},
        text,
        depth=1 + 2 * 4,
        skips=2 * 2,
    ),
    Case(
        "ALBERT",
        "AlbertModel",
        {**BERT, "num_hidden_layers": 3, "embedding_size": 8},
        text,
        depth=2 + 3 * POST_NORM + 1,
        skips=3 * 2,
        remark="encoder.albert_layer_groups.0 runs 3 times in one pass: each run is shown, weights are counted with the first",
    ),
    Case("ELECTRA", "ElectraModel", {**BERT, "embedding_size": 16}, text, depth=1 + 2 * POST_NORM, skips=2 * 2),
    Case("DeBERTa-v2", "DebertaV2Model", BERT, text, depth=1 + 2 * POST_NORM, skips=2 * 2),
    Case(
        "T5",
        "T5ForConditionalGeneration",
        {
            "vocab_size": WORDS,
            "d_model": 16,
            "d_kv": 8,
            "d_ff": 32,
            "num_layers": 2,
            "num_heads": 2,
            "use_cache": False,
            "decoder_start_token_id": 0,
        },
        texts,
        depth=1 + 2 * 4 + 1,
        skips=2 * 3,
        others={"reads": 2},
    ),
    Case(
        "BART",
        "BartForConditionalGeneration",
        {**TEXT, "d_model": 16, **PAIR, "use_cache": False},
        texts,
        depth=1 + 2 * 7,
        skips=2 * 3,
        others={"reads": 2},
    ),
    Case("Llama", "LlamaForCausalLM", GROUPED, text, **block(2)),
    Case("Mistral", "MistralForCausalLM", GROUPED, text, **block(2)),
    Case("Qwen2", "Qwen2ForCausalLM", GROUPED, text, **block(2)),
    Case("Qwen3", "Qwen3ForCausalLM", GROUPED, text, **block(2)),
    Case("Gemma", "GemmaForCausalLM", GROUPED, text, **block(2)),
    Case("Gemma-2", "Gemma2ForCausalLM", GROUPED, text, **block(2)),
    Case("Phi", "PhiForCausalLM", LLAMA, text, **block(2)),
    Case(
        "OPT",
        "OPTForCausalLM",
        {
            **TEXT,
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "ffn_dim": 32,
            "max_position_embeddings": 32,
            "word_embed_proj_dim": 16,
            "use_cache": False,
        },
        text,
        **block(2, 3),
    ),
    Case(
        "BLOOM", "BloomForCausalLM", {**TEXT, "hidden_size": 16, "n_layer": 2, "n_head": 2, "use_cache": False}, text, **block(2, 3)
    ),
    Case("GPT-NeoX", "GPTNeoXForCausalLM", LLAMA, text, depth=1 + 2 * 1 + 1, skips=2 * 2),
    Case(
        "GPT-J",
        "GPTJForCausalLM",
        {**TEXT, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 32, "rotary_dim": 4, "use_cache": False},
        text,
        **block(2),
    ),
    Case(
        "Falcon",
        "FalconForCausalLM",
        {**TEXT, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "use_cache": False},
        text,
        **block(2),
    ),
    Case("OLMo-2", "Olmo2ForCausalLM", LLAMA, text, **block(2)),
    Case("Mixtral", "MixtralForCausalLM", {**GROUPED, "num_local_experts": 4}, text, **block(2)),
    Case(
        "Mamba",
        "MambaForCausalLM",
        {**TEXT, "hidden_size": 16, "num_hidden_layers": 2, "state_size": 4, "use_cache": False},
        text,
        depth=1 + 2 + 1,
        skips=2,
    ),
    Case(
        "RWKV",
        "RwkvForCausalLM",
        {
            **TEXT,
            "hidden_size": 16,
            "attention_hidden_size": 16,
            "num_hidden_layers": 2,
            "intermediate_size": 32,
            "context_length": 32,
            "use_cache": False,
        },
        text,
        **block(2),
    ),
    Case("ViT", "ViTForImageClassification", VIT, image(), **block(2)),
    Case("DeiT", "DeiTForImageClassification", VIT, image(), **block(2)),
    Case("DINOv2", "Dinov2Model", VIT, image(), **block(2)),
    Case("BEiT", "BeitModel", VIT, image(), **block(2)),
    Case(
        "Swin",
        "SwinForImageClassification",
        {"image_size": 16, "patch_size": 2, "embed_dim": 8, "depths": [2, 2], "num_heads": [2, 2], "window_size": 4},
        image(),
        depth=1 + 4 * 2 + 1 + 1,
        skips=4 * 2,
    ),
    Case(
        "SegFormer",
        "SegformerForSemanticSegmentation",
        {"depths": [1, 1, 1, 1], "hidden_sizes": [8, 8, 16, 16], "num_attention_heads": [1, 1, 2, 2], "decoder_hidden_size": 16},
        image(32),
        depth=4 * 6 + 3,
        skips=4 * 2,
        others={"concat": 3},
    ),
    Case(
        "ConvNeXt",
        "ConvNextForImageClassification",
        {"depths": [1, 1, 2, 1], "hidden_sizes": [8, 8, 16, 16]},
        image(32),
        depth=1 + 5 * 3 + 3 + 2,
        skips=5,
    ),
    Case(
        "ConvNeXtV2",
        "ConvNextV2ForImageClassification",
        {"depths": [1, 1, 2, 1], "hidden_sizes": [8, 8, 16, 16]},
        image(32),
        depth=1 + 5 * 4 + 3 + 2,
        skips=5,
    ),
    Case(
        "ResNet basic",
        "ResNetForImageClassification",
        {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [2, 2], "layer_type": "basic"},
        image(32),
        depth=1 + 4 * 3 + 2,
        skips=4,
    ),
    Case(
        "ResNet bottleneck",
        "ResNetForImageClassification",
        {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [2, 2], "layer_type": "bottleneck"},
        image(32),
        depth=1 + 4 * 4 + 2,
        skips=4,
    ),
    Case(
        "MobileNetV2",
        "MobileNetV2ForImageClassification",
        {"depth_multiplier": 0.25},
        image(32),
        depth=1 + 1 + 16 * 3 + 1 + 3,
        skips=10,
    ),
    Case(
        "RegNet",
        "RegNetForImageClassification",
        {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [2, 2], "groups_width": 8},
        image(32),
        depth=1 + 4 * 5 + 2,
        skips=4,
        others={"multiply": 4},
    ),
    Case(
        "EfficientNet",
        "EfficientNetForImageClassification",
        {"width_coefficient": 0.25, "depth_coefficient": 0.5, "image_size": 32, "hidden_dim": 320},
        image(32),
        depth=1 + 3 + 9 * 4 + 3,
        skips=3,
        others={"multiply": 10},
    ),
    Case(
        "BiT",
        "BitForImageClassification",
        {"embedding_size": 8, "hidden_sizes": [32, 32], "depths": [2, 2], "num_groups": 4},
        image(32),
        depth=1 + 4 * 3 + 1 + 2,
        skips=4,
    ),
    Case(
        "PoolFormer",
        "PoolFormerForImageClassification",
        {"hidden_sizes": [8, 8, 16, 16], "depths": [1, 1, 1, 1]},
        image(32),
        depth=4 * 3 + 2,
        skips=4 * 2,
    ),
    Case(
        "DPT",
        "DPTForDepthEstimation",
        {
            **VIT,
            "num_hidden_layers": 4,
            "backbone_out_indices": [0, 1, 2, 3],
            "neck_hidden_sizes": [8, 8, 8, 8],
            "fusion_hidden_size": 8,
        },
        image(),
        depth=1 + 4 * 3 + 4 + 5 * 3 + 4,
        skips=4 * 2 + 7,
    ),
    Case(
        "CLIP",
        "CLIPModel",
        {
            "text_config": {**TEXT, **BERT, "projection_dim": 8, "max_position_embeddings": 32},
            "vision_config": {**VIT, "projection_dim": 8},
            "projection_dim": 8,
        },
        both,
        depth=1 + 2 * 2 + 4,
        skips=2 * 2,
        others={"reads": 1},
    ),
    Case(
        "Wav2Vec2",
        "Wav2Vec2Model",
        {
            **BERT,
            "conv_dim": [8, 8],
            "conv_stride": [5, 2],
            "conv_kernel": [10, 3],
            "num_conv_pos_embeddings": 4,
            "num_conv_pos_embedding_groups": 2,
            "mask_time_prob": 0.0,
            "num_feat_extract_layers": 2,
        },
        sound,
        depth=4 + 2 * 4,
        skips=1 + 2 * 2,
    ),
    Case(
        "Whisper",
        "WhisperForConditionalGeneration",
        {
            **TEXT,
            "d_model": 16,
            **PAIR,
            "num_mel_bins": 8,
            "max_source_positions": 8,
            "max_target_positions": 32,
            "use_cache": False,
            "decoder_start_token_id": 1,
        },
        spectrum,
        depth=1 + 2 * 5 + 1,
        skips=2 * 3,
        others={"reads": 2},
    ),
]
